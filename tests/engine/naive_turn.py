"""What the naive exchange knows of markets and time, and what it collects while it carries out one command."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.events import AnyEvent
from engine.kinds import Phase, PriceSource, Side, TimerKind
from tests.engine.naive_records import NaiveAccount, NaiveOrder


@dataclass
class NaiveInstrument:
    symbol: str
    currency: str
    tick_e4: int
    lot_e8: int
    price_min_e4: int
    price_max_e4: int
    calendar: str
    price_source: PriceSource
    band_bps: int
    fee_schedule: str
    reference_e4: int
    phase: Phase
    halt_bps: int = 0
    halt_window_us: int = 0
    halt_us: int = 0
    resume_auction: bool = False
    halted: bool = False
    last_e4: int = 0
    halt_reference_e4: int = 0
    halt_set_us: int = 0
    close_e4: int = 0
    previous_close_e4: int = 0
    restated_us: int = 0
    name: str = ""
    listed_e4: int = 0
    delisted: bool = False
    indicated: tuple[int, int, int] = (0, 0, 0)

    def anchor_e4(self) -> int:
        if self.price_source is PriceSource.OWN:
            return self.last_e4 or self.reference_e4
        return self.reference_e4

    def on_tick_e4(self) -> int:
        return self.anchor_e4() // self.tick_e4 * self.tick_e4

    def is_call(self) -> bool:
        return self.phase in (Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION, Phase.HALT_AUCTION)


@dataclass
class NaiveCalendar:
    """Days as (open, close), phases as (start, phase); `phase` is the one that its books were told last."""

    calendar: str
    sessions: tuple[tuple[int, int], ...]
    ended_us: int
    phases: tuple[tuple[int, Phase], ...] = ()
    phase: Phase = Phase.CLOSED

    def phase_at(self, now_us: int) -> Phase:
        if not self.phases:
            is_on = any(open_us <= now_us < close_us for open_us, close_us in self.sessions)
            return Phase.CONTINUOUS if is_on else Phase.CLOSED
        begun = [phase for start_us, phase in self.phases if start_us <= now_us]
        return begun[-1] if begun else Phase.CLOSED

    def next_boundary_us(self, now_us: int) -> int | None:
        ahead = [at_us for session in self.sessions for at_us in session if at_us > now_us]
        ahead += [start_us for start_us, _ in self.phases if start_us > now_us]
        return min(ahead) if ahead else None

    def has_ahead(self, auction: Phase, now_us: int) -> bool:
        """Whether such a call ends before the day does."""
        days = [close_us for _, close_us in self.sessions if close_us > now_us]
        calls = [
            end_us
            for (_, phase), (end_us, _) in zip(self.phases, self.phases[1:], strict=False)
            if phase is auction and end_us > now_us
        ]
        return bool(days) and bool(calls) and min(calls) <= min(days)


@dataclass
class NaiveTimer:
    timer_id: int
    due_us: int
    kind: TimerKind
    target: str


def highest_e4(anchor_e4: int, distance_bps: int) -> int:
    return anchor_e4 * (10_000 + distance_bps) // 10_000


def lowest_e4(anchor_e4: int, distance_bps: int) -> int:
    return -(-anchor_e4 * (10_000 - distance_bps) // 10_000)


@dataclass
class NaiveTurn:
    """One command: its ids, and what it touched, each in the order of the first touch.

    `prints` have not been shown to stops yet, `marked` are the stops that were reached, `parents` those that were filled,
    `armed_at` says how many prints there were when a stop was armed: it does not see those.
    """

    seq: int
    now_us: int
    ids: int = 0
    events: list[AnyEvent] = field(default_factory=list)
    orders: list[NaiveOrder] = field(default_factory=list)
    levels: list[tuple[str, Side, int]] = field(default_factory=list)
    accounts: list[NaiveAccount] = field(default_factory=list)
    prints: list[tuple[str, int]] = field(default_factory=list)
    marked: list[NaiveOrder] = field(default_factory=list)
    parents: list[NaiveOrder] = field(default_factory=list)
    armed_at: dict[int, int] = field(default_factory=dict)

    def new_id(self, count: int = 1) -> int:
        self.ids += count
        return self.seq * 1_000_003 + self.ids - count

    def touch(
        self,
        *,
        order: NaiveOrder | None = None,
        level_of: NaiveOrder | None = None,
        account: NaiveAccount | None = None,
    ) -> None:
        if order is not None and not any(each is order for each in self.orders):
            self.orders.append(order)
        if level_of is not None:
            level = (level_of.symbol, level_of.side, level_of.limit_e4)
            if level not in self.levels:
                self.levels.append(level)
        if account is not None and not any(each is account for each in self.accounts):
            self.accounts.append(account)
