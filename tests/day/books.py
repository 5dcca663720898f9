"""What must be in Kerb's books at the end of the day, as those who lived it know it. Amounts in 1/10 000, as the tables have them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from tests.day.tariff import Money
from tests.handlers.small_kerb import Client

CENT_E4: Final = 100
WALK_IN: Final = timedelta(minutes=240)
WALK_IN_LEAST: Final = timedelta(minutes=30)

FITS: Final = {
    "LARGE": ("LARGE",),
    "STANDARD": ("STANDARD", "LARGE"),
    "COMPACT": ("COMPACT", "STANDARD", "LARGE"),
    "EV": ("EV",),
}
"""Type that is asked for → types of space that are given."""

Charge = tuple[str, str, int, int, int]
"""Kind, who, the account or 0, total and the tax in it."""
Visit = tuple[str, datetime, datetime, str, int, int]
"""Who, from when to when, by what right, what was charged in all, and what of it is owed."""


@dataclass
class Driver:
    """An account. `paid_e4` is all that was charged to it, owed or not; `held_e4` is of bookings that are open."""

    client: Client
    deposited_e4: int = 0
    charged_e4: int = 0
    held_e4: int = 0


@dataclass
class Claim:
    """Who takes a space: from when, and until when unless the vehicle is still inside."""

    begin: datetime
    until: datetime
    inside: bool


@dataclass
class Books:
    """Everything that was told to anybody."""

    spaces: Counter[str]
    version: int = 1
    inside: dict[str, str] = field(default_factory=dict)
    """Plate → the right by which it is inside, as far as gates have told."""
    claims: dict[str, Claim] = field(default_factory=dict)
    charges: Counter[Charge] = field(default_factory=Counter)
    visits: Counter[Visit] = field(default_factory=Counter)
    bookings: dict[str, tuple[Driver, str]] = field(default_factory=dict)
    at_gates: int = 0
    sent_to: dict[str, str] = field(default_factory=dict)
    """Plate → the space to which a gate has sent it; of who came in by a gate alone nobody knows."""
    passes: dict[str, Driver] = field(default_factory=dict)
    most_inside: int = 0
    owed_e4: Counter[str] = field(default_factory=Counter)
    """What is owed and not repaid: plate → amount."""
    happened: Counter[str] = field(default_factory=Counter)

    def charge(self, kind: str, who: str, payer: Driver | None, price: Money, owed_e4: int = 0) -> int:
        """Somebody is charged a price; returns it."""
        return self.charge_e4(kind, who, payer, (price[0] * CENT_E4, price[1] * CENT_E4), owed_e4)

    def charge_e4(
        self, kind: str, who: str, payer: Driver | None, price_e4: tuple[int, int], owed_e4: int = 0
    ) -> int:
        """The same, where the price is not in whole cents."""
        account_id = 0 if payer is None else payer.client.account_id
        self.charges[kind, who, account_id, *price_e4] += 1
        if payer is not None:
            payer.charged_e4 += price_e4[0]
        if owed_e4:
            self.owed_e4[who] += owed_e4
        self.happened["charges"] += price_e4[0] > 0
        return price_e4[0]

    def has_room(self, asked: str, at: datetime) -> bool:
        """Whether not even half of the spaces of a type are anybody's in the hours to come."""
        return 2 * self.taken(at, at + WALK_IN) < sum(self.spaces[kind] for kind in FITS[asked])

    def taken(self, begin: datetime, end: datetime) -> int:
        """How many at most have a space at some time of `[begin, end)`; who stands at a gate may have been given one."""
        return self.at_gates + sum(
            claim.begin < end and (claim.inside or begin < claim.until) for claim in self.claims.values()
        )

    def full(self, asked: str, begin: datetime, end: datetime) -> None:
        """Somebody is told that there is no space of a type in `[begin, end)`: each that fits must be somebody's then."""
        there = sum(self.spaces[kind] for kind in FITS[asked])
        taken = self.taken(begin, end)
        assert taken >= there, f"full, though of {there} spaces only {taken} are taken from {begin} to {end}"
        self.happened["told that it is full"] += 1

    @property
    def debt_e4(self) -> int:
        """All that is owed."""
        return self.owed_e4.total()
