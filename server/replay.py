"""Recovery's second half: apply the journal after the loaded state, and prove that the events are the same."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from engine.apply import apply
from engine.events import AnyEvent, Traded
from engine.state import State
from server.codec import decode_record, decode_stored, encode_events
from server.progress import Progress


RECORDS_PER_PRUNE: Final = 32_768
SHORT_LIVED: Final = ("order", "lot")
"""Kinds whose keys are ids, most of which come and go within a long replay."""


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


def _replay(state: State, records: Iterator[tuple[int, bytes]], total: int) -> int:
    count = 0
    first_new_id = (state.seq + 1) * IDS_PER_SEQ
    progress = Progress("replaying the journal")
    for seq, data in records:
        stored = decode_stored(data)
        applied = apply(state, stored.envelope, stored.command, stored.now_us)
        if (
            applied.seq != seq
            or not applied.recorded
            or (
                encode_events(applied.events) != bytes(stored.events)
                and _as_version_1(applied.events) != decode_record(data).events
            )
        ):
            raise Diverged(seq, decode_record(data).events, applied.events or applied.answer)
        count += 1
        if not count % 4_096:
            progress(count, total)
        if not count % RECORDS_PER_PRUNE:
            forget_unstored(state, first_new_id)
    progress.finish()
    return count


def forget_unstored(state: State, first_new_id: int) -> None:
    """Take back the dirty marks of what was made and has ended since `first_new_id`: no row of it was ever stored.

    Millions of them would be a third of the memory, and a sixth of the time, of a long replay.
    """
    for kind, living in zip(SHORT_LIVED, (state.orders, state.lots), strict=True):
        marked = state.dirty[kind]
        state.dirty[kind] = {key: None for key in marked if key in living or key < first_new_id}
