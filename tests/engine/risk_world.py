"""A venue with business days and weekends for tests of the risk rules: rules by name, figures as text, days by number."""

from __future__ import annotations

from collections.abc import Sequence

from engine.apply import Applied
from engine.commands import FireTimer, LinkAccount, SetInstrument, SetRiskRule
from engine.events import RiskViolated
from engine.kinds import RiskMode, RiskRule
from engine.risk_figures import DEFAULTS
from engine.timers import next_timer
from engine.units import DAY_US, HOUR_US
from tests.engine.world import World, of_kind, refusal, stock

OFF, FLAG, BLOCK, INHERIT = RiskMode.OFF, RiskMode.FLAG, RiskMode.BLOCK, RiskMode.INHERIT

WEEKS = 5
SESSIONS = tuple(
    (day * DAY_US + HOUR_US, day * DAY_US + 20 * HOUR_US) for day in range(7 * WEEKS) if day % 7 < 5
)
"""Day 0 is a Monday; books are open from 01:00 to 20:00."""


class RiskWorld(World):
    """Day 0, 10:00. Nothing is on until a test sets it."""

    def __init__(self, listings: Sequence[SetInstrument] = (stock(),)) -> None:
        super().__init__(sessions=SESSIONS, listings=listings)
        self.go_to_day(0)

    def go_to_day(self, day: int, hour: int = 10) -> None:
        """Let time pass, with what the runtime does on the way."""
        self.now_us = day * DAY_US + hour * HOUR_US
        while (timer := next_timer(self.state)) is not None and timer.due_us <= self.now_us:
            self.do(FireTimer(timer.timer_id))

    def rule(
        self,
        rule: RiskRule,
        mode: RiskMode = BLOCK,
        figures: tuple[int, ...] | None = None,
        *,
        who: str = "",
        symbol: str = "",
    ) -> Applied:
        """Set a rule, with its default figures unless others are given."""
        wanted = DEFAULTS[rule] if figures is None else figures
        account_id = self.ids[who] if who else 0
        return self.do(SetRiskRule(rule, mode, () if mode is INHERIT else wanted, account_id, symbol))

    def link(self, *names: str, group: str = "case-7") -> None:
        for who in names:
            assert self.do(LinkAccount(self.ids[who], group, "one owner")).refused is None

    def later(self, seconds: float) -> None:
        self.now_us += round(seconds * 1_000_000)


def violated(applied: Applied) -> list[str]:
    """The violations of a command, as "RULE MODE"."""
    return [f"{event.rule.name} {event.mode.name}" for event in of_kind(applied, RiskViolated)]


def outcome(applied: Applied) -> str:
    """The refusal or "accepted", and behind it what else was reported. A rule that refuses has reported that it did."""
    name, reported = refusal(applied), violated(applied)
    if name in RiskRule.__members__:
        reported.remove(f"{name} BLOCK")
    return " + ".join([name, *reported])
