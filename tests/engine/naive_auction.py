"""Auctions of the naive exchange: one price for all, found by trying every price in question."""

from __future__ import annotations

from engine.events import AnyEvent, Indicative
from engine.kinds import OrderType, Phase, Side, TimeInForce
from tests.engine.naive_records import NaiveOrder
from tests.engine.naive_stops import NaiveStops
from tests.engine.naive_turn import NaiveInstrument, NaiveTurn

BUY, SELL = Side.BUY, Side.SELL
OF_AUCTION = {TimeInForce.OPG: Phase.OPENING_AUCTION, TimeInForce.CLS: Phase.CLOSING_AUCTION}


class NaiveAuction(NaiveStops):
    """The uncross, and what it would give now."""

    def taking_part(self, symbol: str, phase: Phase) -> list[NaiveOrder]:
        """All in the levels, and those that wait, but for orders that are for another auction alone."""
        return [
            order
            for order in self.orders
            if order.symbol == symbol
            and (order.resting or (order.waiting and phase is not Phase.EXTENDED))
            and OF_AUCTION.get(order.time_in_force, phase) is phase
        ]

    def sides_at(self, orders: list[NaiveOrder], price_e4: int) -> tuple[list[NaiveOrder], list[NaiveOrder]]:
        """Buyers and sellers who would trade at a price, each in their queue."""
        buys = [order for order in orders if order.side is BUY and order.limit_e4 >= price_e4]
        sells = [order for order in orders if order.side is SELL and order.limit_e4 <= price_e4]
        buys.sort(
            key=lambda order: (
                not order.takes_any_price(),
                0 if order.takes_any_price() else -order.limit_e4,
                order.place,
            )
        )
        sells.sort(
            key=lambda order: (
                not order.takes_any_price(),
                0 if order.takes_any_price() else order.limit_e4,
                order.place,
            )
        )
        return buys, sells

    def volumes_at(self, orders: list[NaiveOrder], price_e4: int) -> tuple[int, int]:
        """What would trade at a price, and by how much buyers outnumber sellers there."""
        buys, sells = self.sides_at(orders, price_e4)
        bought_e8, sold_e8 = sum(each.leaves_e8() for each in buys), sum(each.leaves_e8() for each in sells)
        return min(bought_e8, sold_e8), bought_e8 - sold_e8

    def auction_price_e4(self, instrument: NaiveInstrument, orders: list[NaiveOrder]) -> int:
        """The price of an uncross; 0 when nothing would trade."""
        reference_e4 = instrument.on_tick_e4()
        if reference_e4 == 0:
            return 0
        prices = {order.limit_e4 for order in orders if self.is_in_question(order)} | {reference_e4}
        volumes = {price_e4: self.volumes_at(orders, price_e4) for price_e4 in prices}
        most_e8 = max(volume_e8 for volume_e8, _ in volumes.values())
        if most_e8 == 0:
            return 0
        best = [price_e4 for price_e4 in prices if volumes[price_e4][0] == most_e8]
        least_e8 = min(abs(volumes[price_e4][1]) for price_e4 in best)
        best = [price_e4 for price_e4 in best if abs(volumes[price_e4][1]) == least_e8]
        if all(volumes[price_e4][1] > 0 for price_e4 in best):
            return max(best)
        if all(volumes[price_e4][1] < 0 for price_e4 in best):
            return min(best)
        return min(best, key=lambda price_e4: (abs(price_e4 - reference_e4), -price_e4))

    def is_in_question(self, order: NaiveOrder) -> bool:
        """A limit in the levels, or of a LIMIT order for the auction alone; no collar, no IOC order that a halt left over."""
        return order.resting or (order.order_type is OrderType.LIMIT and order.time_in_force in OF_AUCTION)

    def uncross(self, turn: NaiveTurn, instrument: NaiveInstrument, phase: Phase) -> None:
        """One auction; its price is what bands that halt are around then."""
        price_e4 = self.auction_price_e4(instrument, self.taking_part(instrument.symbol, phase))
        traded_e4 = self.trade_at(turn, instrument, phase, price_e4) if price_e4 else 0
        instrument.halt_reference_e4, instrument.halt_set_us = traded_e4, turn.now_us

    def uncross_rest(self, turn: NaiveTurn, instrument: NaiveInstrument, phase: Phase) -> None:
        """What self-trade prevention, pairs or collars left crossed."""
        while True:
            resting = [each for each in self.orders if each.resting and each.symbol == instrument.symbol]
            bids = [order.limit_e4 for order in resting if order.side is BUY]
            asks = [order.limit_e4 for order in resting if order.side is SELL]
            if not bids or not asks or max(bids) < min(asks):
                return
            self.uncross(turn, instrument, phase)

    def trade_at(self, turn: NaiveTurn, instrument: NaiveInstrument, phase: Phase, price_e4: int) -> int:
        """Head meets head; returns the price when there was a trade, else 0."""
        traded_e4 = 0
        while True:
            buys, sells = self.sides_at(self.taking_part(instrument.symbol, phase), price_e4)
            if not buys or not sells:
                return traded_e4
            older, newer = sorted((buys[0], sells[0]), key=lambda order: order.place)
            smaller_e8 = min(older.leaves_e8(), newer.leaves_e8())
            if older.account_id == newer.account_id:
                self.meet_self(turn, newer, older, smaller_e8, from_slice=False)
            else:
                self.fill(turn, newer, older, price_e4, smaller_e8, is_auction=True)
                traded_e4 = price_e4

    def indicative(self, instrument: NaiveInstrument) -> AnyEvent | None:
        """What the call would give now, unless that was said already."""
        orders = self.taking_part(instrument.symbol, instrument.phase)
        price_e4 = self.auction_price_e4(instrument, orders)
        volume_e8, imbalance_e8 = self.volumes_at(orders, price_e4 or instrument.on_tick_e4())
        told = (price_e4, volume_e8 if price_e4 else 0, imbalance_e8)
        if told == instrument.indicated:
            return None
        instrument.indicated = told
        return Indicative(instrument.symbol, *told)
