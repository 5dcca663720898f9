"""Refusal of the engine → HTTP status and a sentence for people: one table, total (a test shows it)."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.refusals import Refusal


class Shown(NamedTuple):
    """How a refusal is shown. `status_in_path` applies when what is refused was named in the URL."""

    status: int
    message: str
    status_in_path: int | None = None


REFUSALS: Final[dict[Refusal, Shown]] = {
    Refusal.IDEMPOTENCY_KEY_REUSED: Shown(422, "This idempotency key was used for another request."),
    Refusal.IDEMPOTENCY_CAPACITY: Shown(503, "There is no room for another idempotency key now."),
    Refusal.ACCOUNT_NOT_FOUND: Shown(422, "There is no such account.", 404),
    Refusal.ACCOUNT_EXISTS: Shown(409, "The account exists already."),
    Refusal.ACCOUNT_DISABLED: Shown(403, "The account is disabled."),
    Refusal.DUPLICATE_CLIENT_ORDER_ID: Shown(422, "This client_order_id was used in the last 24 hours."),
    Refusal.UNKNOWN_SYMBOL: Shown(422, "There is no instrument with this symbol.", 404),
    Refusal.ORDER_NOT_FOUND: Shown(404, "There is no such order."),
    Refusal.ORDER_NOT_OPEN: Shown(409, "The order is not open any more."),
    Refusal.WITHDRAWAL_NOT_FOUND: Shown(404, "There is no such withdrawal."),
    Refusal.TIMER_NOT_FOUND: Shown(422, "There is no such timer."),
    Refusal.KILL_SWITCH_ON: Shown(422, "A kill switch is on: no new orders are taken."),
    Refusal.SYMBOL_HALTED: Shown(422, "Trading in this symbol is halted."),
    Refusal.SESSION_CLOSED: Shown(422, "The market is closed."),
    Refusal.CURRENCY_MISMATCH: Shown(422, "The account has another currency than the instrument."),
    Refusal.SYMBOL_NOT_HALTED: Shown(409, "Trading in this symbol is not halted."),
    Refusal.CALENDAR_NOT_FOUND: Shown(422, "There is no such calendar."),
    Refusal.TRADE_BUSTED: Shown(409, "The trade is busted already."),
    Refusal.TRADE_TOO_OLD: Shown(422, "The trade is too old to be busted."),
    Refusal.TRADE_NOT_FOUND: Shown(404, "There is no such trade."),
    Refusal.LOT_NOT_FOUND: Shown(422, "There is no such lot, or not so much of it."),
    Refusal.LOT_TAKEN: Shown(422, "Another open order names this lot."),
    Refusal.TRADE_BEFORE_ACTION: Shown(
        409, "A split has changed the shares since this trade; it can't be taken back."
    ),
    Refusal.INSTRUMENT_DELISTED: Shown(422, "This instrument is delisted: nothing trades in it any more."),
    Refusal.ACTION_EXISTS: Shown(409, "This corporate action has been taken on already."),
    Refusal.PARKING_LOT_NOT_FOUND: Shown(422, "There is no such car park.", 404),
    Refusal.VEHICLE_NOT_FOUND: Shown(422, "There is no such vehicle.", 404),
    Refusal.TAG_NOT_FOUND: Shown(422, "There is no such tag.", 404),
    Refusal.GATE_NOT_FOUND: Shown(404, "There is no such gate."),
    Refusal.GATE_COUNTER_USED: Shown(409, "The gate has sent a line with this counter, or a higher one."),
    Refusal.PLATE_TAKEN: Shown(409, "This plate is registered already."),
    Refusal.TAG_TAKEN: Shown(409, "This tag belongs to a vehicle already."),
    Refusal.SPACE_NOT_FOUND: Shown(422, "There is no such space.", 404),
    Refusal.BOOKING_NOT_FOUND: Shown(404, "There is no such booking."),
    Refusal.BOOKING_NOT_OPEN: Shown(409, "The booking is not in a state for this."),
    Refusal.BOOKING_OVERLAPS: Shown(409, "The vehicle has another booking then."),
    Refusal.STAY_NOT_FOUND: Shown(404, "There is no such stay."),
    Refusal.TICKET_NOT_FOUND: Shown(404, "There is no such ticket, or nobody is inside with it."),
    Refusal.TICKET_EXISTS: Shown(409, "There is a ticket or a stay with this plate or code already."),
    Refusal.TICKET_PAID: Shown(409, "The ticket is paid, and there is still time to leave."),
    Refusal.PASS_NOT_FOUND: Shown(422, "There is no such pass.", 404),
    Refusal.WAITING_NOT_FOUND: Shown(404, "There is no such entry on the waiting list."),
    Refusal.DEBT_NOT_FOUND: Shown(404, "There is no such debt."),
    Refusal.TARIFF_NOT_FOUND: Shown(422, "The car park has no tariff in its currency."),
    Refusal.ZONE_NOT_FOUND: Shown(422, "The car park's time zone is not known."),
    Refusal.PARKING_LOT_CLOSED: Shown(422, "The car park is closed."),
    Refusal.CAMERA_NOT_FOUND: Shown(404, "There is no such camera, or it has no secret."),
    Refusal.CAMERA_TIME_USED: Shown(409, "The camera has sent a reading of this time, or of a later one."),
    Refusal.VEHICLE_IN_USE: Shown(409, "The vehicle is inside, or something is booked for it."),
    Refusal.INVALID_QUANTITY: Shown(422, "The quantity must be above zero and below the limit."),
    Refusal.INVALID_LOT_SIZE: Shown(422, "The quantity is not a multiple of the lot size."),
    Refusal.INVALID_PRICE: Shown(422, "The price is outside of what the instrument allows."),
    Refusal.INVALID_TICK_SIZE: Shown(422, "The price is not a multiple of the tick size."),
    Refusal.INVALID_AMOUNT: Shown(422, "The amount must be above zero, with at most four decimals."),
    Refusal.INVALID_REPLACE: Shown(
        422, "The replacement changes nothing, or is below what is filled already."
    ),
    Refusal.INVALID_INSTRUMENT: Shown(422, "The instrument is not valid."),
    Refusal.INVALID_QUOTE: Shown(422, "The quote is not valid."),
    Refusal.INVALID_LIMITS: Shown(422, "The limits are not valid."),
    Refusal.INVALID_CALENDAR: Shown(422, "The calendar is not valid."),
    Refusal.INVALID_TERMS: Shown(422, "The terms of the order do not fit together."),
    Refusal.INVALID_RISK_RULE: Shown(422, "The risk rule cannot be set like this."),
    Refusal.INVALID_ACTION: Shown(422, "The corporate action's figures or times make no sense."),
    Refusal.INVALID_ESTATE: Shown(422, "The estate cannot be like this."),
    Refusal.INVALID_VEHICLE: Shown(422, "The vehicle cannot be like this."),
    Refusal.INVALID_INTERVAL: Shown(
        422, "The interval must be whole minutes, not past, not too long, not too far ahead."
    ),
    Refusal.INVALID_PASS: Shown(422, "The pass cannot be like this."),
    Refusal.INVALID_TICKET: Shown(422, "The ticket cannot be like this."),
    Refusal.PARKING_FULL: Shown(422, "There is no space left."),
    Refusal.VEHICLE_DOES_NOT_FIT: Shown(422, "No space of this car park is for such a vehicle."),
    Refusal.PRICE_CHANGED: Shown(422, "The price is higher than what was accepted."),
    Refusal.QUOTE_EXPIRED: Shown(422, "The quote is too old: ask for another one."),
    Refusal.PARKING_DEBT: Shown(422, "There are parking fees to be paid first."),
    Refusal.TOO_MANY_BOOKINGS: Shown(422, "The vehicle has too many open bookings."),
    Refusal.WAITING_LIST_FULL: Shown(422, "The waiting list is full, or the vehicle is on it already."),
    Refusal.INVALID_TAG: Shown(422, "The tag cannot be like this."),
    Refusal.INVALID_TARIFF: Shown(422, "The tariff cannot be like this."),
    Refusal.INVALID_ZONE: Shown(422, "The time zone cannot be like this."),
    Refusal.INVALID_GATE_ORDER: Shown(
        422, "A gate cannot be told this: it has no such lane, or there is no reason."
    ),
    Refusal.INVALID_CAMERA: Shown(
        422, "The camera cannot be like this: its lane, its name or how sure it has to be."
    ),
    Refusal.NO_REFERENCE_PRICE: Shown(422, "There is no reference price for this instrument yet."),
    Refusal.PRICE_OUT_OF_BAND: Shown(422, "The price is too far from the market."),
    Refusal.ORDER_TOO_LARGE: Shown(422, "The order is for more units than allowed."),
    Refusal.ORDER_VALUE_TOO_LARGE: Shown(422, "The order is worth more than allowed."),
    Refusal.TOO_MANY_OPEN_ORDERS: Shown(422, "The account has too many open orders."),
    Refusal.INSUFFICIENT_FUNDS: Shown(422, "There is not enough available cash."),
    Refusal.INSUFFICIENT_SHARES: Shown(422, "There are not enough available shares."),
    Refusal.FILL_OR_KILL: Shown(422, "The order cannot be filled in full now."),
    Refusal.BALANCE_LIMIT: Shown(422, "The balance would exceed what can be kept."),
    Refusal.BUYER_LACKS_SHARES: Shown(422, "The buyer does not have the shares any more."),
    Refusal.SELLER_LACKS_FUNDS: Shown(422, "The seller does not have the cash any more."),
    Refusal.UNSETTLED_FUNDS: Shown(422, "The cash has not settled yet."),
    Refusal.FAT_FINGER: Shown(422, "The order is larger than what is plausible here."),
    Refusal.ORDER_RATE_LIMIT: Shown(429, "The account sends orders too fast."),
    Refusal.RAPID_TRADING: Shown(422, "The account has sent too many orders in a short time."),
    Refusal.UNUSUAL_VOLUME: Shown(422, "The order is far larger than the account's orders usually are."),
    Refusal.PENNY_STOCK_ALERT: Shown(422, "The order is for too many units of a low-priced stock."),
    Refusal.POSITION_LIMIT: Shown(422, "The account could hold more of this instrument than allowed."),
    Refusal.KYC_LIMIT: Shown(422, "Today's purchases would exceed what the account's KYC tier allows."),
    Refusal.DAILY_LOSS_LIMIT: Shown(
        422, "The account has reached its loss limit of the day: it can only sell."
    ),
    Refusal.PDT_VIOLATION: Shown(
        422, "It would be a day trade too many for an account with so little equity."
    ),
    Refusal.WASH_TRADE: Shown(422, "The order would trade with an order of a linked account."),
    Refusal.STOP_PRICE_REACHED: Shown(422, "The price has reached the stop already."),
    Refusal.POST_ONLY_WOULD_TAKE: Shown(422, "The order is post-only and would trade at once."),
    Refusal.NOTIONAL_TOO_SMALL: Shown(422, "The amount does not pay for the smallest quantity."),
    Refusal.ENGINE_FAULT: Shown(422, "This request caused a fault before and is not accepted again."),
}


def status_of_refusal(refusal: Refusal, *, in_path: bool = False) -> int:
    """The HTTP status of a refusal."""
    shown = REFUSALS[refusal]
    if in_path and shown.status_in_path is not None:
        return shown.status_in_path
    return shown.status
