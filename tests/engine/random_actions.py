"""Random corporate actions, mostly sensible, and the instruments that are listed for those that they take away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace as changed

from engine import commands as c
from engine.corporate_commands import DeclareAction
from engine.corporate_state import ActionKind
from tests.engine.naive_turn import NaiveInstrument
from tests.engine.random_orders import RandomOrders

MINUTE_US: Final = 60 * 10**6
LISTED_MIN: Final = 4
"""So many instruments are listed at least, where there are actions that take some away."""

FORWARD: Final = ((2, 1), (3, 2), (3, 1), (10, 3))
REVERSE: Final = ((1, 2), (2, 3), (1, 7))
EXCHANGES: Final = ((1, 1), (2, 1), (3, 2), (1, 3), (7, 10), (1, 9))


class RandomActions(RandomOrders):
    """What operators declare. `templates` are what instruments are listed like; `actions` counts all that were made up."""

    templates: tuple[c.SetInstrument, ...] = ()
    named = 0
    actions = 0

    # -- what is listed

    def missing_listing(self) -> c.SetInstrument | None:
        """An instrument with a name that never was, when there are too few, or none of a currency; now and then one that is gone."""
        if "actions" not in self.features or self.random.random() < 0.8:
            return None
        if self.random.random() < 0.01 and self.gone():
            old = self.random.choice(self.gone())
            return next(changed(each, symbol=old.symbol) for each in self.templates if each.name == old.name)
        listed = self.naive.listed()
        currencies = {each.currency for each in listed}
        wanted = [each for each in self.templates if each.currency not in currencies]
        if not wanted and len(listed) >= LISTED_MIN:
            return None
        return changed(self.random.choice(wanted or self.templates), symbol=self.fresh_name())

    def gone(self) -> list[NaiveInstrument]:
        return [each for each in self.naive.instruments.values() if each.delisted]

    def fresh_name(self) -> str:
        self.named += 1
        return f"{self.random.choice(('NEW', 'NEXT', 'AAP'))}{self.named}"

    def stock(self, instrument: NaiveInstrument) -> Iterator[c.TransferIn]:
        """Units for each account that can trade it."""
        for account in list(self.naive.accounts.values()):
            if account.currency == instrument.currency:
                yield c.TransferIn(account.account_id, instrument.symbol, 10_000 * instrument.lot_e8, 10**6)

    def symbols(self) -> list[str]:
        """Names for what may name any instrument: what is listed, one of those that are no more, and one that never was."""
        gone = self.gone()
        names = [each.symbol for each in self.naive.listed()]
        return [*names, *([self.random.choice(gone).symbol] if gone else []), "NOPE"]

    def about_to_change(self) -> list[str]:
        """What has an action ahead."""
        pending = self.naive.actions.pending()
        return [each.symbol for each in pending if not self.naive.instruments[each.symbol].delisted]

    # -- what is declared

    def minute_us(self) -> int:
        """The next whole minute."""
        return (self.now_us // MINUTE_US + 1) * MINUTE_US

    def action_id(self) -> int:
        self.actions += 1
        return self.actions

    def split(self, account_id: int) -> c.AnyCommand:
        """A split that brings the price back to where it was listed, mostly; now and then one that makes no sense."""
        random, instrument = self.random, self.instrument(account_id)
        is_forward = instrument.anchor_e4() > instrument.listed_e4 * random.choice((1, 1, 2))
        new, old = random.choice(FORWARD if is_forward else REVERSE)
        command = DeclareAction(
            *(self.action_id(), ActionKind.SPLIT, instrument.symbol, self.minute_us(), new, old)
        )
        if random.random() < 0.9:
            return command
        wrongs: list[dict[str, object]] = [
            {"numerator": old},
            {"numerator": 10_000, "denominator": 1},
            {"new_symbol": "NEXT"},
            {"cash_e8": 1},
        ]
        return self.spoilt_action(command, wrongs)

    def spoilt_action(self, command: DeclareAction, wrongs: list[dict[str, object]]) -> DeclareAction:
        """With one thing that makes no sense in any action, or in this kind."""
        gone = [each.symbol for each in self.gone()]
        everywhere: list[dict[str, object]] = [
            {"action_id": 0},
            {"action_id": self.random.choice([1, *self.naive.actions.declared])},
            {"effective_us": command.effective_us + 1},
            {"effective_us": command.effective_us - 2 * MINUTE_US},
            {"symbol": "NOPE"},
            {"symbol": self.random.choice([*gone, "NOPE"])},
        ]
        return changed(command, **self.random.choice(everywhere + wrongs * 2))

    def another_symbol(self, account_id: int) -> c.AnyCommand:
        instrument = self.instrument(account_id)
        later_us = MINUTE_US * self.random.choice((0, 0, 0, 1))
        command = DeclareAction(
            *(self.action_id(), ActionKind.SYMBOL_CHANGE, instrument.symbol, self.minute_us() + later_us),
            new_symbol=self.fresh_name(),
        )
        if self.random.random() < 0.8:
            return command
        pending = [each.new_symbol for each in self.naive.actions.pending()]
        wrongs: list[dict[str, object]] = [
            {"new_symbol": self.random.choice([*pending, ""])},
            {"new_symbol": instrument.symbol},
            {"new_symbol": instrument.currency},
            {"new_symbol": self.random.choice(list(self.naive.instruments))},
            {"new_symbol": "W" * 33},
            {"numerator": 2},
            {"denominator": 2},
            {"cash_e8": 1},
        ]
        return self.spoilt_action(command, wrongs)

    def delisting(self, account_id: int) -> c.AnyCommand:
        symbol = self.instrument(account_id).symbol
        command = DeclareAction(self.action_id(), ActionKind.DELISTING, symbol, self.minute_us())
        if self.random.random() < 0.9:
            return command
        wrongs: list[dict[str, object]] = [{"new_symbol": "NEXT"}, {"denominator": 2}, {"cash_e8": 1}]
        return self.spoilt_action(command, wrongs)

    def merger(self, account_id: int) -> c.AnyCommand:
        """For cash near the price, for shares, or for both; also of what was delisted."""
        random, instrument = self.random, self.instrument(account_id)
        gone = self.gone()
        if gone and random.random() < 0.25:
            instrument = random.choice(gone[-10:])
        acquirers = [
            each.symbol
            for each in self.naive.listed()
            if each is not instrument and each.currency == instrument.currency
        ]
        price_e8 = instrument.anchor_e4() * 10**4
        cash_e8 = random.choice((0, 1, 33_333_333, price_e8 // 9, price_e8 // 2, price_e8, price_e8 * 2))
        new, old, new_symbol = 1, 1, ""
        if acquirers and random.random() < 0.7:
            new_symbol = random.choice(acquirers)
            new, old = random.choice(EXCHANGES)
            cash_e8 *= random.random() < 0.5
        command = DeclareAction(
            *(self.action_id(), ActionKind.MERGER, instrument.symbol, self.minute_us()),
            *(new, old, new_symbol, cash_e8),
        )
        if random.random() < 0.8:
            return command
        others = [each.symbol for each in self.naive.listed() if each.currency != instrument.currency]
        wrongs: list[dict[str, object]] = [
            {"cash_e8": -1},
            {"cash_e8": 10**17 + (random.random() < 0.9)},
            {"numerator": 0},
            {"numerator": 10_001},
            {"denominator": 10_001},
            {"denominator": -1},
            {"denominator": 10_000},
            {"new_symbol": ""},
            {"new_symbol": instrument.symbol},
            {"new_symbol": "NOPE"},
            {"new_symbol": random.choice([*others, "NOPE"])},
            {"new_symbol": random.choice([*(each.symbol for each in gone), "NOPE"])},
        ]
        return self.spoilt_action(command, wrongs)
