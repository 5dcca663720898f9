"""Whether two exchanges said the same: fills in their order, all else as sets, levels and balances as a reader has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from engine.events import AnyEvent, BalanceChanged, BookChanged, Traded

Row = tuple[int, ...]

READ: Final = frozenset({BookChanged, BalanceChanged, Traded})


class Reader:
    """The levels and balances of someone who reads the events and nothing else."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Any, ...], Row] = {}

    def read(self, events: Sequence[AnyEvent]) -> set[tuple[Any, ...]]:
        """Take events over; returns what they were about."""
        said = set()
        for event in events:
            if type(event) is BookChanged:
                for side, price_e4, quantity_e8, count in event.levels:
                    key: tuple[Any, ...] = (event.symbol, side, price_e4)
                    self.rows[key] = (quantity_e8, count)
                    said.add(key)
            elif type(event) is BalanceChanged:
                key = (event.account_id,)
                self.rows[key] = (event.cash_e4, event.held_e4)
                said.add(key)
        return said


class Comparison:
    """Reads what both say, command by command."""

    def __init__(self) -> None:
        self.readers = (Reader(), Reader())

    def differences(self, real: Sequence[AnyEvent], naive: Sequence[AnyEvent]) -> list[str]:
        """What is not the same, in words. A level or balance that is told again unchanged is no difference."""
        found = []
        fills = [[event for event in events if type(event) is Traded] for events in (real, naive)]
        if fills[0] != fills[1]:
            found.append(f"fills: {fills[0]}, expected {fills[1]}")
        one_list, other_list = list(map(facts, real)), list(map(facts, naive))
        if one_list != other_list:
            one_set, other_set = Counter(one_list), Counter(other_list)
            found += [f"unexpected: {event}" for event in (one_set - other_set) if event is not None]
            found += [f"missing: {event}" for event in (other_set - one_set) if event is not None]
        keys = self.readers[0].read(real) | self.readers[1].read(naive)
        for key in sorted(keys, key=repr):
            one_row, other_row = (reader.rows.get(key, (0, 0)) for reader in self.readers)
            if one_row != other_row:
                found.append(f"{key}: {one_row}, expected {other_row}")
        return found


def facts(event: AnyEvent) -> AnyEvent | None:
    """An event that is compared as it is; None for those that a reader adds up."""
    return None if type(event) in READ else event
