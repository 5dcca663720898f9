"""Replacing an order of the naive exchange: a new one in its place, with its links."""

from __future__ import annotations

from msgspec.structs import replace as changed

from engine.commands import ReplaceOrder
from engine.events import Refused
from engine.kinds import CloseReason, OrderStatus, OrderType, TimeInForce
from engine.refusals import Refusal
from engine.terms import Terms
from tests.engine.naive_book import NaiveBook
from tests.engine.naive_forms import invalid
from tests.engine.naive_lots import go_on_with
from tests.engine.naive_records import NaiveOrder
from tests.engine.naive_turn import NaiveTurn


class NaiveReplace(NaiveBook):
    """The new order is made first, and then everything is asked that is asked of a new order."""

    def replace(self, turn: NaiveTurn, account_id: int, command: ReplaceOrder) -> Refused | int:
        account = self.accounts.get(account_id)
        refused = self.may_act(account)
        if refused or account is None:
            return refused or Refused(Refusal.ACCOUNT_NOT_FOUND)
        refused = self.taken(account_id, [command.client_order_id])
        if refused:
            return refused
        mine = [
            order
            for order in self.orders
            if order.order_id == command.order_id and order.account_id == account_id and not order.is_quote
        ]
        if not mine:
            return Refused(Refusal.ORDER_NOT_FOUND)
        old = mine[0]
        instrument = self.instruments[old.symbol]
        is_priced = not old.takes_any_price()
        price_e4 = (command.price_e4 or old.price_e4) if is_priced else 0
        total_e8 = command.quantity_e8 or old.quantity_e8
        terms = self.new_terms(old, command)
        nothing = Refused(Refusal.INVALID_REPLACE, (("filled_e8", old.filled_e8()),))
        refused = (
            self.may_trade(account, instrument, old.time_in_force, turn.now_us)
            or self.good_quantity(instrument, total_e8)
            or self.good_price_of(instrument, old.order_type, price_e4)
            or (nothing if command.price_e4 and not is_priced else None)
            or self.good_stop(instrument, old.order_type, terms or Terms())
        )
        if refused:
            return refused
        is_same = price_e4 == old.price_e4 and terms == old.terms
        names_a_stop = command.stop_e4 or command.trail_e4 or command.trail_ppm
        if (
            total_e8 <= old.filled_e8()
            or (is_same and total_e8 == old.quantity_e8)
            or (names_a_stop and old.status is not OrderStatus.HELD)
            or ((old.group_id or old.parent_id) and total_e8 != old.quantity_e8)
        ):
            return nothing
        display_e8 = (terms or Terms()).display_e8
        if 0 < 100 * display_e8 < total_e8 - old.filled_e8():
            return invalid("display_e8", display_e8)
        only_smaller = is_same and total_e8 < old.quantity_e8
        new = self.successor(turn, old, total_e8 - old.filled_e8(), price_e4, terms)
        new.client_order_id = command.client_order_id
        if only_smaller:
            new.place, new.limit_e4 = old.place, old.limit_e4
        elif new.armed or new.order_type is not OrderType.TRAILING_STOP:
            self.price_it(instrument, new)
        refused = (
            None
            if only_smaller
            else self.sane(instrument, new, checks_stop=new.armed and new.status is OrderStatus.HELD)
        )
        if refused:
            return refused
        named = go_on_with(old, new.terms, new.quantity_e8)
        if isinstance(named, Refused):
            return named
        new.terms = named
        refused = self.covered(account, [new], [old])
        refused = refused or (None if only_smaller else self.would_take(new))
        if refused:
            return refused
        self.take_place(turn, old, new)
        self.go_on(turn, old, new, keeps_place=only_smaller)
        return new.order_id

    def go_on(self, turn: NaiveTurn, old: NaiveOrder, new: NaiveOrder, *, keeps_place: bool) -> None:
        """Where the old one stood, or by the way of a new order."""
        if new.status is OrderStatus.HELD:
            return
        if not keeps_place:
            self.trade(turn, new)
        elif old.was_resting:
            new.resting = True
            new.shown_e8 = min(old.was_shown_e8, new.leaves_e8())
            turn.touch(level_of=new)
        else:
            self.wait(turn, new)

    def new_terms(self, old: NaiveOrder, command: ReplaceOrder) -> Terms | None:
        terms = old.terms
        if command.stop_e4:
            terms = changed(terms or Terms(), stop_e4=command.stop_e4)
        if command.trail_e4 or command.trail_ppm:
            terms = changed(terms or Terms(), trail_e4=command.trail_e4, trail_ppm=command.trail_ppm)
        return terms

    def successor(
        self, turn: NaiveTurn, old: NaiveOrder, rest_e8: int, price_e4: int, terms: Terms | None
    ) -> NaiveOrder:
        new_id = turn.new_id()
        new = NaiveOrder(
            new_id, old.account_id, old.symbol, old.side, old.order_type, old.time_in_force,
            rest_e8, price_e4, old.limit_e4, old.maker_ppm, old.taker_ppm, turn.now_us, turn.now_us,
            "", old.policy, old.order_id, False, new_id, terms=terms,
            order_class=old.order_class, parent_id=old.parent_id, group_id=old.group_id,
            children=old.children, planned_e8=old.planned_e8, armed=old.armed, trigger_e4=old.trigger_e4,
            extreme_e4=old.extreme_e4, triggered_us=old.triggered_us, before_e8=old.before_e8 + old.filled_e8(),
        )  # fmt: skip
        new.status = OrderStatus.HELD if old.status is OrderStatus.HELD else OrderStatus.PENDING
        return new

    def take_place(self, turn: NaiveTurn, old: NaiveOrder, new: NaiveOrder) -> None:
        """In the list of orders, and in the links of others."""
        old.replaced_by_id = new.order_id
        pair = self.pair_of(old, self.orders)
        held_e4 = 0 if pair is None else self.hold_e4(pair)
        old.was_resting, old.was_shown_e8 = old.resting, old.shown_e8
        self.end(turn, old, OrderStatus.REPLACED, CloseReason.REPLACED)
        self.enter(turn, new)
        if pair is not None and self.hold_e4(pair) != held_e4:
            turn.touch(order=pair)
        if new.time_in_force is TimeInForce.GTD:
            self.expire_later(turn, new)
        for other in self.orders:
            if other.parent_id == old.order_id:
                other.parent_id = new.order_id
                other.planned_e8 = new.before_e8 + new.quantity_e8
                if not other.armed:
                    other.quantity_e8 = other.planned_e8
                self.touch(turn, other)
            if old.order_id in other.children:
                ids = [new.order_id if each == old.order_id else each for each in other.children]
                other.children = tuple(ids)
                self.touch(turn, other)
