"""Recovery's second half: apply the journal after the loaded state, and prove that the events are the same."""

from __future__ import annotations

import gc
from collections.abc import Iterator

from msgspec.structs import replace

from engine.apply import apply
from engine.events import AnyEvent, TradeBusted, Traded
from engine.state import State
from server.codec import decode_record, decode_stored, encode_events
from server.progress import Progress


class Diverged(Exception):
    """The engine makes other events of a recorded command than the version that recorded it."""

    def __init__(self, seq: int, recorded: object, replayed: object) -> None:
        super().__init__(
            f"record {seq} replays differently: the journal was written by another version of the engine. "
            f"Run `drain` with the version that wrote it, then start this one. "
            f"Recorded {recorded}, replayed {replayed}"
        )
        self.seq = seq


def replay(state: State, records: Iterator[tuple[int, bytes]], total: int = 0) -> int:
    """Apply recorded commands to a state; returns how many. Raises `Diverged` at the first difference."""
    collecting = gc.isenabled()
    gc.disable()  # millions of objects are made, and they stay
    try:
        return _replay(state, records, total)
    finally:
        if collecting:
            gc.enable()


def _as_version_1(events: tuple[AnyEvent, ...]) -> tuple[AnyEvent, ...]:
    """The events as engine version 1 recorded them: it did not say which lots a trade sold, all else is the same."""
    return tuple(replace(event, sell_lots=()) if isinstance(event, Traded) else event for event in events)


def _as_version_3(events: tuple[AnyEvent, ...]) -> tuple[AnyEvent, ...]:
    """The events as engine versions 2 and 3 recorded them: a bust did not say which lots it moved."""
    return tuple(
        replace(event, sell_lots=(), buy_lots=()) if isinstance(event, TradeBusted) else event
        for event in events
    )


def _is_same(recorded: tuple[AnyEvent, ...], replayed: tuple[AnyEvent, ...]) -> bool:
    """Whether a replay gives what an earlier version recorded, in that version's words."""
    return recorded in (replayed, _as_version_1(replayed), _as_version_3(replayed))


def _replay(state: State, records: Iterator[tuple[int, bytes]], total: int) -> int:
    count = 0
    progress = Progress("replaying the journal")
    for seq, data in records:
        stored = decode_stored(data)
        applied = apply(state, stored.envelope, stored.command, stored.now_us)
        if (
            applied.seq != seq
            or not applied.recorded
            or (
                encode_events(applied.events) != bytes(stored.events)
                and not _is_same(decode_record(data).events, applied.events)
            )
        ):
            raise Diverged(seq, decode_record(data).events, applied.events or applied.answer)
        count += 1
        if not count % 4_096:
            progress(count, total)
    progress.finish()
    return count
