"""The engine and the naive exchange side by side: each command goes to both, and every difference is a problem in words."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from engine.apply import Applied, apply
from engine.commands import CancelOrder, Envelope
from engine.events import OrderUpdated, PhaseChanged, Refused
from engine.invariants import check_invariants
from engine.kinds import Source
from engine.state import State
from engine.state_hash import state_hash
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands, Step
from tests.engine.random_orders import FEATURES
from tests.engine.same_events import Comparison, facts

SHRINKING_S: Final = 60.0
"""How long a failing sequence is made shorter before it is shown."""


class Both:
    """Both exchanges, and what has been seen of them so far."""

    def __init__(self, dice: Random | None = None) -> None:
        self.state, self.naive = State(), NaiveExchange()
        self.comparison = Comparison()
        self.mirror = Mirror(self.state)
        self.dice = dice
        self.seen: Counter[str] = Counter()

    def problems(self, step: Step) -> list[str]:
        """Carry a command out in both; what is wrong after it."""
        envelope, command, now_us = step
        expected = self.naive.apply(envelope, command, now_us)
        applied = apply(self.state, envelope, command, now_us)
        found = self.comparison.differences(applied.events, expected.events)
        answers = list(map(facts, applied.answer)), list(map(facts, expected.answer))
        if answers[0] != answers[1] and Counter(answers[0]) != Counter(answers[1]):
            found.append(f"answered {applied.answer}, expected {expected.answer}")
        if applied.duplicate != expected.duplicate:
            found.append(f"duplicate: {applied.duplicate}, expected {expected.duplicate}")
        found += check_invariants(self.state)
        self.mirror.cut(self.state)
        if self.dice is not None and self.dice.random() < 1 / 2_500:
            rebuilt = restored(self.mirror.rows)
            if state_hash(rebuilt) != state_hash(self.state):
                found.append("a state rebuilt from its rows has another hash")
            self.state, self.mirror = rebuilt, Mirror(rebuilt)
        self.count(applied)
        return found

    def count(self, applied: Applied) -> None:
        """What happened, by the names that tests ask for."""
        seen, fired = self.seen, 0
        for event in applied.events:
            seen[type(event).__name__] += 1
            if type(event) is OrderUpdated:
                seen[f"{event.order_type.name} {event.status.name} {event.reason.name}"] += 1
                seen[f"{event.order_type.name} {event.time_in_force.name}"] += 1
                if event.special is not None and event.special.triggered_us == applied.now_us:
                    fired += 1
            elif type(event) is Refused:
                seen[event.refusal.name] += 1
            elif type(event) is PhaseChanged:
                seen[f"{event.phase.name} {event.reason}"] += 1
        if fired:
            seen["a stop fires"] += fired
            seen["a cascade of stops"] += fired > 1

    def last_problems(self) -> list[str]:
        """What is wrong with what both have in the end."""
        found = []
        if self.mirror.rows != all_rows(self.state):
            found.append("the rows that were marked as changed are not all that changed")
        lots = {
            (account_id, symbol): [
                [lot.lot_id, lot.units_e8, lot.cost_e4, lot.acquired_us] for lot in position.lots.values()
            ]
            for account_id, account in self.state.accounts.items()
            for symbol, position in account.positions.items()
        }
        naive_accounts = self.naive.accounts.items()
        if lots != {
            (account_id, symbol): lots
            for account_id, each in naive_accounts
            for symbol, lots in each.lots.items()
        }:
            found.append("the lots differ")
        made = {account_id: account.realized_e4 for account_id, account in self.state.accounts.items()}
        if made != {account_id: account.realized_e4 for account_id, account in naive_accounts}:
            found.append("the realised gains differ")
        return found


def run(seed: int, count: int, features: frozenset[str] = FEATURES) -> Counter[str]:
    """So many random commands; returns what was seen. Raises AssertionError with a sequence that can be replayed."""
    both = Both(Random(seed))
    steps: list[Step | None] = []
    for step in RandomCommands(seed, both.naive, features).steps(count):
        seq, steps_before = both.naive.seq, len(steps)
        steps.append(step)
        try:
            problems = both.problems(step)
        except (AssertionError, ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
            problems = [f"{type(error).__name__}: {error}"]
        if problems:
            raise AssertionError(report(seed, steps, problems))
        if both.naive.seq == seq:
            steps[steps_before] = None
    problems = both.last_problems()
    assert not problems, f"seed {seed}: {problems}"
    return both.seen


NOTHING: Final = (Envelope(Source.OPERATOR), CancelOrder(0))
"""Stands for a step that was left out: it is refused, and the ids of those after it stay the same."""


def replayed(steps: Sequence[Step | None], kept: set[int]) -> list[str]:
    """The first problems of a sequence of which only the `kept` steps are carried out."""
    both = Both()
    for index, step in enumerate(steps):
        if step is None:
            continue
        try:
            problems = both.problems(step if index in kept else (*NOTHING, step[2]))
        except (AssertionError, ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
            problems = [f"{type(error).__name__}: {error}"]
        if problems:
            return problems
    return []


def shrunk(steps: Sequence[Step | None], seconds: float = SHRINKING_S) -> tuple[set[int], list[str]]:
    """As few steps as can be found in the time that still show a problem, and that problem."""
    until_s = time.monotonic() + seconds
    kept = {index for index, step in enumerate(steps) if step is not None}
    problems = replayed(steps, kept)
    size = len(kept) // 2
    while size and problems:
        for chunk in chunks(sorted(kept), size):
            if time.monotonic() > until_s:
                return kept, problems
            fewer = kept - set(chunk)
            found = replayed(steps, fewer)
            if found:
                kept, problems = fewer, found
        size //= 2
    return kept, problems


def chunks(indices: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(indices), size):
        yield indices[start : start + size]


def report(seed: int, steps: Sequence[Step | None], problems: list[str]) -> str:
    """What went wrong, and the sequence that shows it."""
    kept, fewest = shrunk(steps)
    lines = [f"seed {seed}, step {len(steps) - 1}", *problems, "", f"{len(kept)} steps show:", *fewest, ""]
    for index in sorted(kept):
        step = steps[index]
        if step is not None:
            lines.append(f"{index} at {step[2]} account {step[0].account_id}: {step[1]}")
    return "\n".join(lines)
