"""A small venue for feeds: the real engine, a wall clock turned by hand, makers and traders with cash and shares."""

from __future__ import annotations

from typing import TypeVar

from engine.apply import Applied, apply
from engine.commands import (
    AnyCommand,
    Deposit,
    Envelope,
    OpenAccount,
    SetCalendar,
    SetFees,
    SetInstrument,
    TransferIn,
)
from engine.events import AccountOpened, AnyEvent
from engine.invariants import check_invariants
from engine.kinds import AccountKind, PriceSource, Source
from engine.state import State
from engine.units import TIME_MAX_US
from server.errors import KerbError
from tests.feeds.clocks import HandClock

SHARE_E8 = 100_000_000
DOLLAR_E4 = 10_000
C = TypeVar("C")


class Venue:
    """Every command goes through `submit`, as it does through the runtime; `commands` remembers those of feeds."""

    def __init__(self) -> None:
        self.state = State()
        self.wall = HandClock()
        self.commands: list[tuple[int, AnyCommand]] = []
        self.events: list[AnyEvent] = []
        self.failure: KerbError | None = None
        self.do(SetFees("standard", 500, 1_000))
        self.do(SetCalendar("24x7", ((0, TIME_MAX_US),)))

    def submit(self, command: AnyCommand, envelope: Envelope) -> Applied:
        """What feeds are given."""
        if self.failure is not None:
            raise self.failure
        applied = apply(self.state, envelope, command, max(self.wall.now_us(), self.state.last_us))
        check_invariants(self.state)
        self.commands.append((self.wall.elapsed_us(), command))
        self.events.extend(applied.events)
        return applied

    def do(self, command: AnyCommand, account_id: int = 0) -> Applied:
        """A command of somebody else; it must be accepted."""
        envelope = Envelope(Source.CONFIG, 0, account_id)
        applied = apply(self.state, envelope, command, max(self.wall.now_us(), self.state.last_us))
        assert applied.refused is None, applied.refused
        return applied

    def list_instrument(self, symbol: str, reference_e4: int, source: PriceSource = PriceSource.OWN) -> None:
        """Lists an instrument with cents and ten-thousandths of a share."""
        self.do(
            SetInstrument(
                symbol,
                symbol,
                "USD",
                100,
                10_000,
                10_000,
                10**9,
                reference_e4,
                "24x7",
                source,
                2_000,
                "standard",
            )
        )

    def open(self, kind: AccountKind, *, dollars: int, shares: dict[str, int] | None = None) -> int:
        """Opens an account with cash and shares; its id."""
        events = self.do(OpenAccount(100 + len(self.state.accounts), kind, "USD")).events
        (account_id,) = [event.account_id for event in events if isinstance(event, AccountOpened)]
        if dollars:
            self.do(Deposit(dollars * DOLLAR_E4, "wire"), account_id)
        for symbol, quantity in (shares or {}).items():
            cost_e4 = self.state.instruments[symbol].reference_e4 * quantity
            self.do(TransferIn(account_id, symbol, quantity * SHARE_E8, cost_e4))
        return account_id

    def of_type(self, kind: type[C]) -> list[C]:
        """The feeds' commands of one kind so far."""
        return [command for _, command in self.commands if isinstance(command, kind)]
