"""Settlement: when the money of a sale is the seller's to take out, and what a cash account may do before that.

An account's cash counts from the trade on, sale proceeds included. What of it is not settled yet stands in buckets, one for
each market and settlement day; when that day comes its bucket is gone and the cash is like any other. Cash that goes out
(a purchase, an adjustment, a bust) is settled cash first; what has to come out of a bucket comes out of the earliest.

Lots remember with which unsettled money they were bought. Selling one before that money has settled is a good-faith violation
(Regulation T, 12 CFR 220.8(c); the brokers' practice: three in twelve months, then settled cash only for 90 days).
Market makers' accounts are not cash accounts: their proceeds are usable at once.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from engine.commands import BustTrade, Envelope, SetSettlement
from engine.events import DaySettled, GoodFaithViolated, Refused, SettlementDue, SoldLot
from engine.fee_tiers import count_volume
from engine.kinds import AccountKind, TimerKind
from engine.orders import Order
from engine.refusals import Refusal
from engine.settlement_state import FundedLot, SettlementRules, SettlingDay, Unsettled
from engine.state import (
    Account,
    Calendar,
    Instrument,
    State,
    Timer,
)
from engine.timers import add_timer
from engine.turn import Turn
from engine.units import CASH_TOTAL_MAX_E4, DAY_US, TIME_MAX_US
from engine.watching import watch

DAYS_MAX: Final = 10
CLOSED_MAX: Final = 1_000
INSTANT_TIERS_MAX: Final = 4
VIOLATIONS_MAX: Final = 3
VIOLATIONS_WINDOW_US: Final = 365 * DAY_US
SETTLED_ONLY_US: Final = 90 * DAY_US
VIOLATIONS_KEPT: Final = 16
"""More are not remembered: three of them are what counts."""

USER: Final = AccountKind.USER


def set_settlement(turn: Turn, envelope: Envelope, command: SetSettlement) -> Refused | None:
    """Set how the trades of a market settle from now on; those of before keep their day."""
    state = turn.state
    if command.market not in state.calendars:
        return Refused(Refusal.CALENDAR_NOT_FOUND)
    if not (
        0 <= command.days <= DAYS_MAX
        and len(command.closed) <= CLOSED_MAX
        and list(command.closed) == sorted(set(command.closed))
        and all(0 <= day <= TIME_MAX_US // DAY_US for day in command.closed)
        and len(command.instant_max_e4) <= INSTANT_TIERS_MAX
        and all(0 <= limit_e4 <= CASH_TOTAL_MAX_E4 for limit_e4 in command.instant_max_e4)
    ):
        return Refused(Refusal.INVALID_LIMITS, (("days_max", DAYS_MAX),))
    state.settlement[command.market] = SettlementRules(
        command.market, command.days, command.closed, command.instant_max_e4
    )
    state.dirty["settlement"][command.market] = None
    watch(state)
    return None


def session_of(calendar: Calendar, now_us: int) -> int:
    """The index of the session that a trade belongs to: the one that is on, else the one whose middle is nearest.

    So what trades before an opening or after a close counts for that day. -1 when there is no session at all.
    """
    sessions = calendar.sessions
    following = bisect_right(sessions, (now_us, TIME_MAX_US + 1))
    if (following and now_us < sessions[following - 1][1]) or following == len(sessions):
        return following - 1
    if not following:
        return 0
    before, after = sessions[following - 1], sessions[following]
    return following - 1 if 2 * now_us - sum(before) <= sum(after) - 2 * now_us else following


def day_of(session: tuple[int, int]) -> int:
    """The day, since the epoch, that a session is called by: the UTC date of its middle, which is that of its exchange."""
    return sum(session) // 2 // DAY_US


def settles_on(calendar: Calendar, rules: SettlementRules, now_us: int) -> tuple[int, int, int]:
    """Of a trade now: its day, the day on which it settles, and when that one begins.

    Counted in sessions, without the days on which banks are closed. Where the calendar ends, every further day counts.
    """
    sessions = calendar.sessions
    index = session_of(calendar, now_us)
    trade_day = day = day_of(sessions[index]) if index >= 0 else now_us // DAY_US
    due_us = day * DAY_US
    left = rules.days
    while left:
        index += 1
        if index < len(sessions):
            day, due_us = day_of(sessions[index]), sessions[index][0]
        else:
            day += 1
            due_us = day * DAY_US
        if day not in rules.closed:
            left -= 1
    return trade_day, day, max(due_us, now_us + 1)


def after_fill(
    turn: Turn,
    instrument: Instrument,
    trade_id: int,
    quantity_e8: int,
    notional_e4: int,
    buy: Order,
    sell: Order,
    fees_e4: tuple[int, int],
    sold_lots: tuple[SoldLot, ...],
) -> None:
    """What a fill means beyond the ledger: volume that counts for a tier, cash that is not settled, and violations.

    Both sides have paid and delivered already. `fees_e4` are the buyer's and the seller's.
    """
    state = turn.state
    buyer, seller = buy.account, sell.account
    assert buyer is not None
    assert seller is not None
    if state.counts_volume:
        count_volume(state, buyer.account_id, notional_e4, turn.now_us, turn.now_us)
        count_volume(state, seller.account_id, notional_e4, turn.now_us, turn.now_us)
    if state.funded_lots and seller.kind is USER:
        watch_good_faith(turn, seller, sell.order_id, trade_id, sold_lots)
    if buyer.unsettled_e4:
        parts = draw(state, buyer)
        if parts:
            state.funded_lots[trade_id] = FundedLot(trade_id, buyer.account_id, parts)
            state.dirty["funded_lot"][trade_id] = None
    rules = state.settlement.get(instrument.calendar)
    if rules is None or not rules.days:
        return
    market = rules.market
    trade_day, day, due_us = settles_on(state.calendars[market], rules, turn.now_us)
    if (market, day) not in state.settling:
        timer_id = add_timer(turn, due_us, TimerKind.SETTLEMENT, f"{market} {day}")
        state.settling[market, day] = SettlingDay(market, day, due_us, timer_id)
        state.dirty["settling"][market, day] = None
    proceeds_e4 = notional_e4 - fees_e4[1]
    if seller.kind is USER and proceeds_e4:
        credit(state, seller, market, day, proceeds_e4, rules)
    turn.events.append(
        SettlementDue(
            trade_id,
            market,
            trade_day,
            day,
            instrument.symbol,
            instrument.currency,
            quantity_e8,
            buy.order_id,
            buyer.account_id,
            -notional_e4 - fees_e4[0],
            sell.order_id,
            seller.account_id,
            proceeds_e4,
        )
    )


def bucket_of(state: State, account: Account, market: str, day: int) -> Unsettled:
    """An account's bucket of a settlement day, made when it is first needed; the caller puts something in."""
    bucket = account.buckets.get((day, market))
    key = (market, day, account.account_id)
    if bucket is None:
        bucket = account.buckets[day, market] = state.unsettled[key] = Unsettled(*key)
    state.dirty["unsettled"][key] = None
    return bucket


def credit(
    state: State, account: Account, market: str, day: int, proceeds_e4: int, rules: SettlementRules
) -> None:
    """Put the proceeds of a sale into the bucket of their day; what the account's tier is advanced counts as settled."""
    bucket = bucket_of(state, account, market, day)
    instant_e4 = 0
    if rules.instant_max_e4:
        tier = min(account.kyc_tier, len(rules.instant_max_e4) - 1)
        advanced_e4 = sum([each.instant_e4 for each in account.buckets.values()])
        instant_e4 = max(0, min(rules.instant_max_e4[tier] - advanced_e4, proceeds_e4))
    bucket.instant_e4 += instant_e4
    bucket.amount_e4 += proceeds_e4 - instant_e4
    account.unsettled_e4 += proceeds_e4 - instant_e4


def take(state: State, account: Account, bucket: Unsettled, amount_e4: int) -> None:
    """Take unsettled cash out of a bucket; an empty one goes."""
    bucket.amount_e4 -= amount_e4
    account.unsettled_e4 -= amount_e4
    key = (bucket.market, bucket.day, bucket.account_id)
    state.dirty["unsettled"][key] = None
    if not bucket.amount_e4 and not bucket.instant_e4:
        del account.buckets[bucket.day, bucket.market], state.unsettled[key]


def draw(state: State, account: Account) -> tuple[tuple[str, int, int], ...]:
    """After cash went out: take what settled cash did not pay out of the buckets, the earliest day first.

    Settled cash that waits for the bank to pay it out pays for nothing else. Returns (market, day, amount) of what was taken.
    """
    lacking_e4 = account.unsettled_e4 - (account.cash_e4 - account.leaving_e4)
    parts = []
    for _, bucket in sorted(account.buckets.items()) if lacking_e4 > 0 else ():
        part_e4 = min(bucket.amount_e4, lacking_e4)
        if part_e4 > 0:
            parts.append((bucket.market, bucket.day, part_e4))
            take(state, account, bucket, part_e4)
            lacking_e4 -= part_e4
    return tuple(parts)


def settle_day(turn: Turn, timer: Timer) -> None:
    """The day has come: what was sold for it is paid, and the money that lots were bought with is there."""
    state = turn.state
    market, _, text = timer.target.rpartition(" ")
    day = int(text)
    del state.settling[market, day]
    state.dirty["settling"][market, day] = None
    for key in sorted(key for key in state.unsettled if key[0] == market and key[1] == day):
        bucket = state.unsettled[key]
        account = state.accounts[bucket.account_id]
        bucket.instant_e4 = 0
        take(state, account, bucket, bucket.amount_e4)
        turn.accounts[account.account_id] = account
    for lot in list(state.funded_lots.values()):
        left = tuple([part for part in lot.parts if part[:2] != (market, day)])
        if left != lot.parts:
            lot.parts = left
            state.dirty["funded_lot"][lot.lot_id] = None
            if not left:
                del state.funded_lots[lot.lot_id]
    turn.events.append(DaySettled(market, day))


def watch_good_faith(
    turn: Turn, seller: Account, order_id: int, trade_id: int, sold_lots: tuple[SoldLot, ...]
) -> None:
    """Count a sale of what was bought with money that has not settled; one violation an order."""
    state, now_us = turn.state, turn.now_us
    if not any(lot_id in state.funded_lots for lot_id, _, _, _ in sold_lots):
        return
    if any(violation[1] == order_id for violation in seller.violations):
        return
    seller.violations = (*seller.violations, (now_us, order_id, trade_id))[-VIOLATIONS_KEPT:]
    count = recent_violations(seller, now_us)
    if count >= VIOLATIONS_MAX:
        seller.settled_only_until_us = now_us + SETTLED_ONLY_US
    turn.events.append(
        GoodFaithViolated(seller.account_id, order_id, trade_id, count, seller.settled_only_until_us)
    )


def recent_violations(account: Account, now_us: int) -> int:
    """How many good-faith violations the account has in the last twelve months."""
    return len([at_us for at_us, _, _ in account.violations if at_us > now_us - VIOLATIONS_WINDOW_US])


def withdrawable_e4(account: Account) -> int:
    """Settled cash that nothing holds. Holds take settled cash first, as what they pay for will."""
    return max(0, account.cash_e4 - account.unsettled_e4 - account.held_e4)


def buying_power_e4(account: Account, now_us: int) -> int:
    """What a new order may use: all that is available, or settled cash alone."""
    if account.settled_only_until_us > now_us:
        return withdrawable_e4(account)
    return account.available_e4


def unsettled_refusal(state: State, account: Account, required_e4: int) -> Refused | None:
    """UNSETTLED_FUNDS when settled cash does not cover an amount that available cash does, and when it would."""
    free_e4 = account.cash_e4 - account.unsettled_e4 - account.held_e4
    if required_e4 <= free_e4:
        return None
    settles_us = 0
    for _, bucket in sorted(account.buckets.items()):
        if free_e4 < required_e4:
            settles_us = max(settles_us, state.settling[bucket.market, bucket.day].due_us)
            free_e4 += bucket.amount_e4
    detail = (
        ("required_e4", required_e4),
        ("withdrawable_e4", withdrawable_e4(account)),
        ("settles_us", settles_us),
    )
    return Refused(Refusal.UNSETTLED_FUNDS, detail)


def after_bust(turn: Turn, command: BustTrade, buyer: Account, seller: Account) -> None:
    """Take back what a busted fill meant; both sides have given back cash and units already.

    The seller's proceeds leave their bucket as far as they are still there. The unsettled money that the buyer paid with
    is unsettled again where its day has not come. A violation that this very fill was is forgiven.
    """
    state = turn.state
    if state.counts_volume:
        for account in (buyer, seller):
            count_volume(state, account.account_id, -command.notional_e4, command.executed_us, turn.now_us)
    bucket = seller.buckets.get((command.settlement_day, command.market))
    if bucket is not None:
        proceeds_e4 = command.notional_e4 - command.sell_fee_e4
        part_e4 = min(bucket.amount_e4, proceeds_e4)
        bucket.instant_e4 -= min(bucket.instant_e4, proceeds_e4 - part_e4)
        take(state, seller, bucket, part_e4)
    draw(state, seller)
    lot = state.funded_lots.pop(command.trade_id, None)
    if lot is not None:
        state.dirty["funded_lot"][lot.lot_id] = None
        for market, day, part_e4 in lot.parts:
            bucket_of(state, buyer, market, day).amount_e4 += part_e4
            buyer.unsettled_e4 += part_e4
    kept = tuple([each for each in seller.violations if each[2] != command.trade_id])
    if kept != seller.violations:
        seller.violations = kept
        if recent_violations(seller, turn.now_us) < VIOLATIONS_MAX:
            seller.settled_only_until_us = 0
