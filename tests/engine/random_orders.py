"""Seeded orders of every type for a small venue, mostly sensible, sometimes hostile; chosen by a look at the naive exchange."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from msgspec.structs import replace as changed

from engine import commands as c
from engine.kinds import (
    AccountKind,
    LotMethod,
    OrderClass,
    OrderStatus,
    OrderType,
    Phase,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.terms import Leg, Terms
from tests.engine.naive_exchange import NaiveExchange
from tests.engine.naive_records import NaiveAccount, NaiveOrder
from tests.engine.naive_turn import NaiveInstrument

FEATURES: Final = frozenset(
    {
        *(
            "auctions",
            "extended",
            "gtd",
            "halts",
            "iceberg",
            "notional",
            "post_only",
            "stops",
            "oco",
            "bracket",
        ),
        *("splits", "actions", "lots"),
    }
)
"""What the engine has of docs/orders.md by now; the rest stays out of the mix. All of them: """

SECOND_US = 10**6
LOTS_MAX = 4
BUY, SELL = Side.BUY, Side.SELL
STAYING = (TimeInForce.DAY, TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC)


class RandomOrders:
    """Commands of traders."""

    def __init__(self, seed: int, naive: NaiveExchange, features: frozenset[str] = FEATURES) -> None:
        self.random = Random(seed)
        self.naive = naive
        self.features = features
        self.now_us = 0
        kinds: dict[str, tuple[Any, float]] = {
            "": (self.plain, 30),
            "stops": (self.stop, 14),
            "iceberg": (self.iceberg, 5),
            "post_only": (self.post_only, 3),
            "notional": (self.notional, 3),
            "gtd": (self.good_till, 3),
            "oco": (self.oco, 4),
            "bracket": (self.bracket, 6),
            "auctions": (self.for_an_auction, 4),
            "extended": (self.extended, 3),
        }
        self.kinds = {kind: weight for name, (kind, weight) in kinds.items() if name in ("", *features)}

    def symbols(self) -> list[str]:
        """Names for what may name any instrument."""
        return [*self.naive.instruments, "NOPE"]

    # -- figures

    def instrument(self, account_id: int = 0) -> NaiveInstrument:
        """An instrument, mostly one that is listed and that the account has the currency for."""
        instruments = self.naive.listed()
        if len(instruments) < len(self.naive.instruments) and self.random.random() < 0.01:
            instruments = list(self.naive.instruments.values())
        account = self.naive.accounts.get(account_id)
        if account is not None and self.random.random() < 0.98:
            mine = [each for each in instruments if each.currency == account.currency]
            instruments = mine or instruments
        return self.random.choice(instruments)

    def near_e4(self, instrument: NaiveInstrument, ticks: int) -> int:
        """So many ticks from the reference."""
        return (round(instrument.anchor_e4() / instrument.tick_e4) + ticks) * instrument.tick_e4

    def price_e4(self, instrument: NaiveInstrument) -> int:
        random = self.random
        if random.random() < 0.02:
            return random.choice((0, -5, 1, 10**8, 10**13, instrument.anchor_e4() * 2))
        return self.near_e4(instrument, round(random.gauss(0, 5))) + (random.random() < 0.01)

    def quantity_e8(self, instrument: NaiveInstrument) -> int:
        random = self.random
        if random.random() < 0.02:
            return random.choice((0, -1, instrument.lot_e8 + 1, 10**12, 2 * 10**12, 10**18))
        return instrument.lot_e8 * random.choice((1, 2, 3, 7, 40, 333, 1_000, 20_000))

    def client_id(self) -> str:
        return f"c{self.random.randrange(400)}" if self.random.random() < 0.1 else ""

    # -- orders

    def place(self, account_id: int) -> c.AnyCommand:
        random, instrument = self.random, self.instrument(account_id)
        account = self.naive.accounts.get(account_id)
        if account is not None and len(account.lots.get(instrument.symbol, ())) > LOTS_MAX:
            return self.sell_out(account, instrument)
        if instrument.phase is Phase.EXTENDED and "extended" in self.features and random.random() < 0.5:
            return self.extended(instrument)
        choose = random.choices(list(self.kinds), weights=list(self.kinds.values()))[0]
        order = self.spoilt(choose(instrument))
        if "lots" in self.features and account is not None and random.random() < 0.08:
            return self.of_lots(account, order)
        return order

    def plain(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        random = self.random
        is_market = random.random() < 0.12
        times = (*STAYING, *STAYING, TimeInForce.IOC, TimeInForce.FOK)
        return c.PlaceOrder(
            "NOPE" if random.random() < 0.003 else instrument.symbol,
            random.choice((BUY, SELL)),
            OrderType.MARKET if is_market else OrderType.LIMIT,
            self.quantity_e8(instrument),
            int(random.random() < 0.01) if is_market else self.price_e4(instrument),
            random.choice(times),
            self.client_id(),
            random.choice(list(SelfTradePrevention)),
        )

    def limit(self, instrument: NaiveInstrument, terms: Terms | None) -> c.PlaceOrder:
        """A LIMIT order that stays, with terms."""
        return c.PlaceOrder(
            instrument.symbol,
            self.random.choice((BUY, SELL)),
            OrderType.LIMIT,
            self.quantity_e8(instrument),
            self.price_e4(instrument),
            self.random.choice(STAYING),
            self.client_id(),
            self.random.choice(list(SelfTradePrevention)),
            terms,
        )

    def stop_figures(self, instrument: NaiveInstrument, side: Side, order_type: OrderType) -> dict[str, int]:
        """The price, stop or trail that a stop of this type and side needs, mostly not reached yet."""
        random = self.random
        sign = 1 if side is BUY else -1
        if order_type is OrderType.TRAILING_STOP:
            if random.random() < 0.5:
                return {"trail_e4": instrument.tick_e4 * random.randrange(1, 9)}
            return {"trail_ppm": random.randrange(20, 1_500)}
        stop_e4 = self.near_e4(instrument, sign * random.choice((-1, 0, 1, 1, 2, 3, 4, 6, 9)))
        if order_type is OrderType.STOP_LOSS:
            return {"stop_e4": stop_e4}
        return {"stop_e4": stop_e4, "price_e4": stop_e4 + instrument.tick_e4 * random.randrange(-4, 5)}

    def stop_type(self) -> OrderType:
        return self.random.choice((OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP))

    def stop(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        side, order_type = self.random.choice((BUY, SELL)), self.stop_type()
        figures = self.stop_figures(instrument, side, order_type)
        price_e4 = figures.pop("price_e4", 0)
        return changed(
            self.limit(instrument, changed(Terms(), **figures)),
            side=side,
            order_type=order_type,
            price_e4=price_e4,
        )

    def iceberg(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        lots = self.random.choice((2, 3, 7, 40, 333, 1_000))
        display_e8 = instrument.lot_e8 * self.random.randrange(1, lots)
        order = self.limit(instrument, Terms(display_e8=display_e8))
        return changed(order, quantity_e8=lots * instrument.lot_e8)

    def post_only(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        return self.limit(instrument, Terms(post_only=True))

    def notional(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        random = self.random
        lot_e4 = instrument.lot_e8 * instrument.anchor_e4() // 10**8
        terms = Terms(notional_e4=max(1, lot_e4 * random.randrange(1, 90_000) // 300))
        if random.random() < 0.4:
            return changed(self.limit(instrument, terms), quantity_e8=0)
        times = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY)
        order = self.limit(instrument, terms)
        return changed(
            order,
            order_type=OrderType.MARKET,
            quantity_e8=0,
            price_e4=0,
            time_in_force=random.choice(times),
        )

    def good_till(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        expires_us = self.now_us + self.random.choice((1, SECOND_US, 5 * SECOND_US, 20 * SECOND_US))
        order = self.limit(instrument, Terms(expires_us=expires_us))
        if "stops" in self.features and self.random.random() < 0.3:
            order = self.stop(instrument)
            assert order.terms is not None
            order = changed(order, terms=changed(order.terms, expires_us=expires_us))
        return changed(order, time_in_force=TimeInForce.GTD)

    def for_an_auction(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        order = self.plain(instrument)
        return changed(order, time_in_force=self.random.choice((TimeInForce.OPG, TimeInForce.CLS)))

    def extended(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        return self.limit(instrument, Terms(extended_hours=True))

    # -- orders that hang together

    def leg(self, instrument: NaiveInstrument, side: Side) -> Leg:
        order_type = self.stop_type()
        figures = self.stop_figures(instrument, side, order_type)
        return Leg(order_type, client_order_id=self.client_id(), **figures)

    def oco(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        order = self.limit(instrument, None)
        if self.random.random() < 0.2:
            order = self.random.choice((self.iceberg, self.post_only, self.extended))(instrument)
        return changed(order, order_class=OrderClass.OCO, legs=(self.leg(instrument, order.side),))

    def bracket(self, instrument: NaiveInstrument) -> c.PlaceOrder:
        """A BRACKET or OTO; the entry of any kind."""
        random = self.random
        order = self.plain(instrument)
        if order.order_type is OrderType.LIMIT and random.random() < 0.3:
            order = self.limit(instrument, None)
        side = SELL if order.side is BUY else BUY
        sign = 1 if side is SELL else -1
        profit = Leg(
            OrderType.LIMIT,
            self.near_e4(instrument, sign * random.choice((-1, 0, 1, 2, 3, 5))),
            client_order_id=self.client_id(),
        )
        legs: tuple[Leg, ...] = (profit, self.leg(instrument, side))
        if random.random() < 0.3:
            return changed(order, order_class=OrderClass.OTO, legs=(random.choice(legs),))
        return changed(order, order_class=OrderClass.BRACKET, legs=legs)

    def spoilt(self, order: c.PlaceOrder) -> c.PlaceOrder:
        """Now and then one thing about an order with terms makes no sense."""
        random = self.random
        if order.terms is None or random.random() > 0.04:
            return order
        terms = order.terms
        wrongs: list[c.PlaceOrder] = [
            changed(order, terms=changed(terms, expires_us=self.now_us)),
            changed(order, time_in_force=random.choice(list(TimeInForce))),
        ]
        if "stops" in self.features:
            wrongs += [
                changed(order, terms=changed(terms, stop_e4=terms.stop_e4 + 1)),
                changed(order, terms=changed(terms, trail_e4=-1)),
                changed(order, terms=changed(terms, trail_ppm=500_001)),
            ]
        if "post_only" in self.features:
            wrongs += [changed(order, terms=changed(terms, post_only=not terms.post_only))]
        if "iceberg" in self.features:
            wrongs += [changed(order, terms=changed(terms, display_e8=order.quantity_e8))]
        if "notional" in self.features:
            wrongs += [changed(order, terms=changed(terms, notional_e4=1))]
        if "extended" in self.features:
            wrongs += [changed(order, terms=changed(terms, extended_hours=True))]
        if "oco" in self.features:
            wrongs += [changed(order, order_class=random.choice(list(OrderClass)))]
        return random.choice(wrongs)

    def sell_out(self, account: NaiveAccount, instrument: NaiveInstrument) -> c.AnyCommand:
        """Sell as much as one may at almost any price, so that few lots are left to check after each command."""
        quantity_e8 = max(min(self.naive.free_e8(account, instrument.symbol), 10**11), instrument.lot_e8)
        quantity_e8 -= quantity_e8 % instrument.lot_e8
        price_e4 = instrument.anchor_e4() * 97 // 100 // instrument.tick_e4 * instrument.tick_e4
        return c.PlaceOrder(instrument.symbol, SELL, OrderType.LIMIT, quantity_e8, price_e4, TimeInForce.IOC)

    def of_lots(self, account: NaiveAccount, order: c.PlaceOrder) -> c.PlaceOrder:
        """An order that says which lots it sells; now and then one that can't."""
        random, terms = self.random, order.terms or Terms()
        if random.random() < 0.5:
            return changed(order, terms=changed(terms, lot_method=random.choice(list(LotMethod)[:4])))
        there = account.lots.get(order.symbol, [])
        some = random.sample(there, min(len(there), random.choice((1, 2, 3))))
        lot_e8 = self.naive.instruments[order.symbol].lot_e8 if order.symbol in self.naive.instruments else 1
        whole = [(lot[0], lot[1] // lot_e8) for lot in some if lot[1] >= lot_e8]
        named = [(lot_id, lot_e8 * random.choice((lots, random.randint(1, lots)))) for lot_id, lots in whole]
        quantity_e8 = sum(units_e8 for _, units_e8 in named)
        if random.random() < 0.1:
            named = random.choice(
                ([], [(17, lot_e8)], named * 2, [(lot_id, units_e8 * 2) for lot_id, units_e8 in named])
            )
        terms = changed(
            terms,
            lot_method=None if random.random() < 0.02 else LotMethod.SPECIFIC,
            lots=tuple(named),
            display_e8=0,
            notional_e4=0,
        )
        return changed(
            order, side=SELL, quantity_e8=quantity_e8, terms=terms, order_class=OrderClass.SIMPLE, legs=()
        )

    # -- what is done to orders

    def some_order(self, account_id: int) -> NaiveOrder | None:
        """One of the account's own orders; now and then anybody's."""
        orders = [
            order
            for order in self.naive.orders
            if order.account_id == account_id or self.random.random() < 0.005
        ]
        return self.random.choice(orders) if orders else None

    def cancel(self, account_id: int) -> c.AnyCommand:
        order = self.some_order(account_id)
        if order is None and self.random.random() < 0.9:
            return self.place(account_id)
        return c.CancelOrder(order.order_id if order else self.random.choice((0, -1, 2**20)))

    def cancel_all(self, account_id: int) -> c.AnyCommand:
        return c.CancelAll(self.random.choice(("", *self.symbols())))

    def replace(self, account_id: int) -> c.AnyCommand:
        order = self.some_order(account_id)
        if order is None:
            return c.ReplaceOrder(17, 0, 0) if self.random.random() < 0.1 else self.place(account_id)
        instrument, random = self.naive.instruments[order.symbol], self.random
        smaller_e8 = order.quantity_e8 - instrument.lot_e8 * random.randrange(5)
        quantity_e8 = random.choice((0, smaller_e8, smaller_e8, self.quantity_e8(instrument)))
        price_e4 = random.choice((0, 0, order.price_e4, self.price_e4(instrument)))
        if order.takes_any_price() and random.random() < 0.9:
            price_e4 = 0
        if order.group_id and random.random() < 0.8:
            quantity_e8 = 0
        stop_figures: dict[str, int] = {}
        if order.is_stop() and order.status is OrderStatus.HELD and random.random() < 0.5:
            stop_figures = self.stop_figures(instrument, order.side, order.order_type)
            price_e4 = stop_figures.pop("price_e4", 0)
        elif order.is_stop() and random.random() < 0.05:
            stop_figures = {"stop_e4": self.price_e4(instrument)}
        if "stops" not in self.features:
            stop_figures = {}
        return c.ReplaceOrder(order.order_id, quantity_e8, price_e4, self.client_id(), **stop_figures)

    def quote(self, account_id: int) -> c.AnyCommand:
        random = self.random
        makers = [each for each in self.naive.accounts.values() if each.kind is AccountKind.MARKET_MAKER]
        instrument = self.instrument(account_id)
        if account_id not in [maker.account_id for maker in makers] and random.random() < 0.9:
            return self.place(account_id)
        middle_e4 = self.price_e4(instrument)
        step_e4 = instrument.tick_e4 * random.choice((1, 2))
        bids = [
            (middle_e4 - (1 + index) * step_e4, self.quantity_e8(instrument))
            for index in range(random.randrange(4))
        ]
        asks = [
            (middle_e4 + index * step_e4, self.quantity_e8(instrument))
            for index in range(random.randrange(4))
        ]
        if random.random() < 0.02:
            asks, bids = bids, asks
        return c.MassQuote(instrument.symbol, tuple(bids), tuple(asks))
