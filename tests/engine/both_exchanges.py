"""The engine and the naive exchange side by side: each command goes to both, and every difference is a problem in words."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from engine.action_events import ActionEffected
from engine.apply import apply
from engine.commands import AnyCommand, CancelOrder, Envelope
from engine.invariants import check_invariants
from engine.kinds import Source
from engine.state import State
from engine.state_hash import state_hash
from tests.engine.happenings import Happenings
from tests.engine.mirror import Mirror, all_rows, restored
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.random_commands import RandomCommands, Step
from tests.engine.random_orders import FEATURES
from tests.engine.same_events import Comparison, facts
from tests.engine.standing import standing

BUGS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What an engine that does not know what to do raises."""

REFUSED_CHECKS: Final = 16
"""A refusal changes nothing: what it broke all the same shows after the next command, and after each so many-th refusal."""

SHRINKING_S: Final = 60.0
"""How long a failing sequence is made shorter before it is shown."""


class Both:
    """Both exchanges, and what has been seen of them so far. All invariants are checked after every so many-th command."""

    def __init__(self, dice: Random | None = None, checked_every: int = 1) -> None:
        self.state, self.naive = State(), NaiveExchange()
        self.comparison = Comparison()
        self.mirror = Mirror(self.state)
        self.dice = dice
        self.checked_every = checked_every
        self.happenings = Happenings()

    def problems(self, step: Step) -> list[str]:
        """Carry a command out in both; what is wrong after it."""
        envelope, command, now_us = step
        phases = {symbol: each.phase for symbol, each in self.naive.instruments.items()}
        standing = self.standing(command)
        expected = self.naive.apply(envelope, command, now_us)
        try:
            applied = apply(self.state, envelope, command, now_us)
        except BUGS as error:
            return [f"{type(error).__name__}: {error}", *traceback.format_tb(error.__traceback__)[-3:]]
        found = self.comparison.differences(applied.events, expected.events)
        answers = [list(filter(None, map(facts, answer))) for answer in (applied.answer, expected.answer)]
        if answers[0] != answers[1] and Counter(answers[0]) != Counter(answers[1]):
            found.append(f"answered {applied.answer}, expected {expected.answer}")
        if applied.duplicate != expected.duplicate:
            found.append(f"duplicate: {applied.duplicate}, expected {expected.duplicate}")
        is_due = self.state.seq % self.checked_every == 0
        if is_due and (applied.refused is None or self.state.seq % REFUSED_CHECKS == 0):
            found += check_invariants(self.state)
        if any(type(event) is ActionEffected for event in applied.events):
            found += self.differing_books()
        self.mirror.cut(self.state)
        if self.dice is not None and self.dice.random() < 1 / 2_500:
            rebuilt = restored(self.mirror.rows)
            if state_hash(rebuilt) != state_hash(self.state):
                found.append("a state rebuilt from its rows has another hash")
            self.state, self.mirror = rebuilt, Mirror(rebuilt)
        self.happenings.count(applied, phases, standing)
        return found

    def standing(self, command: AnyCommand) -> frozenset[str]:
        """What a corporate action finds that is about to take effect."""
        ids = [each.action_id for each in self.naive.actions.due(command)]
        return standing(self.naive, ids[0]) if ids else frozenset()

    def last_problems(self) -> list[str]:
        """What is wrong with what both have in the end."""
        found = []
        if self.mirror.rows != all_rows(self.state):
            found.append("the rows that were marked as changed are not all that changed")
        return found + self.differing_books()

    def differing_books(self) -> list[str]:
        """What each account has of what lots, and has realised; and what the accounts outside have."""
        accounts, naive_accounts = self.state.accounts.items(), self.naive.accounts.items()
        lots = {
            (account_id, symbol): [
                [lot.lot_id, lot.units_e8, lot.cost_e4, lot.acquired_us] for lot in position.lots.values()
            ]
            for account_id, account in accounts
            for symbol, position in account.positions.items()
            if position.lots
        }
        expected = {
            (account_id, symbol): lots
            for account_id, each in naive_accounts
            for symbol, lots in each.lots.items()
            if lots
        }
        found = [
            f"lots of {key}: {lots.get(key)}, expected {expected.get(key)}"
            for key in sorted(lots.keys() | expected.keys())
            if lots.get(key) != expected.get(key)
        ]
        made = {account_id: account.realized_e4 for account_id, account in accounts}
        if made != {account_id: account.realized_e4 for account_id, account in naive_accounts}:
            found.append("the realised gains differ")
        outside = {key: amount for key, amount in self.state.outside.items() if amount}
        naive_outside = {key: amount for key, amount in self.naive.outside.items() if amount}
        if outside != naive_outside:
            found.append(f"outside: {outside}, expected {naive_outside}")
        return found


def run(
    seed: int, count: int, features: frozenset[str] = FEATURES, *, checked_every: int = 1
) -> Counter[str]:
    """So many random commands; returns what was seen. Raises AssertionError with a sequence that can be replayed."""
    both = Both(Random(seed), checked_every)
    steps: list[Step | None] = []
    for step in RandomCommands(seed, both.naive, features).steps(count):
        seq, steps_before = both.naive.seq, len(steps)
        steps.append(step)
        problems = both.problems(step)
        if problems:
            raise AssertionError(report(seed, steps, problems))
        if both.naive.seq == seq:
            steps[steps_before] = None
    problems = both.last_problems()
    assert not problems, f"seed {seed}: {problems}"
    return both.happenings.seen


TOLD_MAX: Final = 60
"""So many steps are shown at most."""

SAME: Final = 28
"""Problems that begin alike are taken for the same one."""

NOTHING: Final = (Envelope(Source.OPERATOR), CancelOrder(0))
"""Stands for a step that was left out: it is refused, and the ids of those after it stay the same."""


def replayed(steps: Sequence[Step | None], kept: set[int]) -> list[str]:
    """The first problems of a sequence of which only the `kept` steps are carried out."""
    both = Both()
    for index, step in enumerate(steps):
        if step is None:
            continue
        problems = both.problems(step if index in kept else (*NOTHING, step[2]))
        if problems:
            return problems
    return []


def shrunk(steps: Sequence[Step | None], seconds: float = SHRINKING_S) -> tuple[set[int], list[str]]:
    """As few steps as can be found in the time that still show a problem, and that problem."""
    until_s = time.monotonic() + seconds
    kept = {index for index, step in enumerate(steps) if step is not None}
    always = {index for index, step in enumerate(steps) if step and step[0].source is Source.CONFIG}
    problems = replayed(steps, kept)
    size = len(kept) // 2
    while size and problems:
        for chunk in chunks(sorted(kept - always), size):
            if time.monotonic() > until_s:
                return kept, problems
            fewer = kept - set(chunk)
            found = replayed(steps, fewer)
            if found and found[0][:SAME] == problems[0][:SAME]:
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
    told = [(index, step) for index, step in enumerate(steps) if index in kept and step is not None]
    told = [(index, step) for index, step in told if step[0].source is not Source.CONFIG]
    if len(told) > TOLD_MAX:
        lines.append(f"(the last {TOLD_MAX} of them)")
    for index, step in told[-TOLD_MAX:]:
        lines.append(f"{index} at {step[2]} account {step[0].account_id}: {step[1]}")
    return "\n".join(lines)
