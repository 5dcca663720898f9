"""Allow-lists: the tags that a gate may open for while it is cut off, in parts that fit a line.

A list is computed for all gates of a lot that let the same way, and serves them for a minute, unless somebody was revoked.
"""

from __future__ import annotations

from typing import Final

from engine.parking.allow_list import tags_that_open
from engine.parking.kinds import Direction
from engine.parking.records import Gate
from engine.state import State
from engine.units import SECOND_US
from server.gate_messages import AllowList, time_text

ENTRIES_MAX: Final = 2_000
"""Tags in one list: a controller has little memory, and a lot more vehicles than come in a quarter of an hour."""

PART_BYTES: Final = 3_600
"""Of entries in one line; the rest of the line fits beside them."""

SHARED_US: Final = 60 * SECOND_US

_Key = tuple[str, Direction, int]


class AllowLists:
    """Makes lists from the engine's state, which it only reads."""

    def __init__(self, state: State, ttl_s: int) -> None:
        self._state = state
        self._ttl_us = ttl_s * SECOND_US
        self._made: dict[_Key, tuple[int, tuple[AllowList, ...]]] = {}

    def __repr__(self) -> str:
        return f"<AllowLists {len(self._made)} made>"

    def forget(self) -> None:
        """Somebody may no longer pass: what was made is no longer right."""
        self._made.clear()

    def lines_for(self, gate: Gate, now_us: int) -> tuple[AllowList, ...]:
        """The lines of a gate's list. They may be sent once all that is known now is durable."""
        key = (gate.lot, gate.direction, gate.height_cm)
        made = self._made.get(key)
        if made is None or not 0 <= now_us - made[0] < SHARED_US:
            made = self._made[key] = (now_us, self._make(gate, now_us))
        return made[1]

    def _make(self, gate: Gate, now_us: int) -> tuple[AllowList, ...]:
        parts: list[list[str]] = [[]]
        size = 0
        until_us = now_us + self._ttl_us
        for epc in tags_that_open(self._state, gate, now_us, until_us, ENTRIES_MAX):
            size += len(epc) + len('"",')
            if size > PART_BYTES:
                parts.append([])
                size = len(epc)
            parts[-1].append(epc)
        expires = time_text(until_us)
        return tuple(
            [
                AllowList(now_us, expires, number, len(parts), tuple(part))
                for number, part in enumerate(parts, start=1)
            ]
        )
