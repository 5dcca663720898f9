"""What has happened in a run of random commands, by name, and what has to happen before its silence means anything."""

from __future__ import annotations

from collections import Counter
from typing import Final

from engine.action_events import ActionEffected, ActionFailed
from engine.apply import Applied
from engine.events import OrderUpdated, PhaseChanged, Refused, Traded
from engine.kinds import LotMethod, OrderStatus, Phase
from engine.refusals import Refusal
from engine.status_table import STATUS_TABLE
from engine.terms import NO_TERMS, Special

NO_SPECIAL: Final = Special(NO_TERMS)
STOPS: Final = ("STOP_LOSS", "STOP_LIMIT", "TRAILING_STOP")
ENDS: Final = (
    "CANCELLED USER",
    "CANCELLED CANCEL_ALL",
    "CANCELLED KILL_SWITCH",
    "CANCELLED ACCOUNT_DISABLED",
)

ENDING: Final = ("SYMBOL_CHANGE", "MERGER", "DELISTING")
ENDED: Final = (
    *("LIMIT", "STOP_LOSS", "STOP_LIMIT", "TRAILING_STOP", "a quote", "a lot", "an iceberg", "a pair"),
    *("a parent", "a part fill", "a stop", "a waiting order", "another action"),
)
"""What there has to be at a symbol when its end comes. The rarer ones are shown by the ten million of the attack."""

ALWAYS: Final = (
    *("AccountOpened", "AccountStatusChanged", "BalanceChanged", "BookChanged", "DayEnded", "InstrumentSet"),
    *("KillSwitchSet", "OrderUpdated", "PhaseChanged", "Posted", "Refused", "TradeBusted", "Traded"),
    *("WithdrawalRequested", "WithdrawalSettled", "MARKET FILLED NONE", "MARKET CANCELLED NO_LIQUIDITY"),
    *("LIMIT CANCELLED SELF_TRADE", "LIMIT EXPIRED SESSION_END", "LIMIT REPLACED REPLACED"),
    *("LIMIT CANCELLED NO_LIQUIDITY", "LIMIT CANCELLED REQUOTED", "trades in CONTINUOUS"),
    *(f"LIMIT {end}" for end in ENDS),
)

BY_FEATURE: Final = {
    "stops": (
        *(f"{stop} {end}" for stop in STOPS for end in ENDS),
        *(f"{stop} {end}" for stop in STOPS for end in ("HELD NONE", "REPLACED REPLACED")),
        *(f"{stop} {end}" for stop in STOPS for end in ("FILLED NONE", "EXPIRED SESSION_END")),
        *("STOP_LOSS CANCELLED NO_LIQUIDITY", "TRAILING_STOP CANCELLED NO_LIQUIDITY"),
        *("STOP_LIMIT PENDING NONE", "STOP_LIMIT PARTIAL NONE", "STOP_LIMIT CANCELLED SELF_TRADE"),
        *("a stop fires", "several stops fire", "a stop trails", "STOP_PRICE_REACHED"),
    ),
    "gtd": ("LIMIT EXPIRED TIME",),
    "auctions": (
        *(
            "trades in OPENING_AUCTION",
            "trades in CLOSING_AUCTION",
            "Indicative",
            "LIMIT EXPIRED AUCTION_END",
        ),
        *("MARKET EXPIRED AUCTION_END", "OPG FILLED", "CLS FILLED"),
        *(f"{phase.name} calendar" for phase in Phase if phase not in (Phase.HALTED, Phase.HALT_AUCTION)),
    ),
    "extended": ("trades in EXTENDED",),
    "halts": ("HALT_AUCTION price_band", "HALT_AUCTION resumed", "trades in HALT_AUCTION"),
    "iceberg": ("a slice is followed by another",),
    "post_only": ("POST_ONLY_WOULD_TAKE",),
    "splits": (
        *("ActionDeclared", "ActionEffected", "ActionFailed", "FractionPaid", "TRADE_BEFORE_ACTION"),
        *("LIMIT CANCELLED CORPORATE_ACTION", "STOP_LOSS CANCELLED CORPORATE_ACTION"),
        "an order is restated",
    ),
    "lots": ("LotMethodSet", "LOT_NOT_FOUND", "LOT_TAKEN", *(f"sold by {each.name}" for each in LotMethod)),
    "actions": (
        *("ACTION_EXISTS", "INVALID_ACTION", "INSTRUMENT_DELISTED", "SPLIT fails: INSTRUMENT_DELISTED"),
        *(f"{kind} of {name}" for kind in ENDING for name in ENDED),
        *("SYMBOL_CHANGE of an auction's call", "SYMBOL_CHANGE of a halt", "MERGER of a delisted book"),
    ),
    "notional": ("NOTIONAL_TOO_SMALL", "a notional order is filled"),
    "oco": ("an OCO order is shrunk by its pair", "LIMIT CANCELLED PAIR", "STOP_LOSS CANCELLED PAIR"),
    "bracket": (
        *("a BRACKET order is shrunk by its pair", "LIMIT HELD>PENDING", "a leg grows", "a leg is armed"),
        *(f"{kind} CANCELLED PARENT" for kind in ("LIMIT", *STOPS)),
        *("an OTO order is armed", "LIMIT CANCELLED NOT_COVERED"),
    ),
}
"""Feature → what it has to show."""

REFUSED_ELSEWHERE: Final = frozenset(
    {
        *("IDEMPOTENCY_CAPACITY", "ACCOUNT_EXISTS", "ORDER_NOT_OPEN", "CALENDAR_NOT_FOUND", "ENGINE_FAULT"),
        *("INVALID_INSTRUMENT", "INVALID_LIMITS", "INVALID_CALENDAR", "NO_REFERENCE_PRICE", "TRADE_TOO_OLD"),
        *("BALANCE_LIMIT",),
        *(
            "INVALID_RISK_RULE",
            "FAT_FINGER",
            "ORDER_RATE_LIMIT",
        ),
        *("RAPID_TRADING", "UNUSUAL_VOLUME", "PENNY_STOCK_ALERT", "POSITION_LIMIT", "KYC_LIMIT"),
        *("DAILY_LOSS_LIMIT", "PDT_VIOLATION", "WASH_TRADE", "UNSETTLED_FUNDS"),
        *(each.name for each in Refusal if int(each) % 100 > 30 and int(each) // 100 < 9),  # parking's
    }
)
"""Refusals that random traders don't meet: what config is refused, and what has tests of its own."""


class Happenings:
    """Counts, by a look at each report and at the one before it."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._reports: dict[int, OrderUpdated] = {}

    def count(
        self, applied: Applied, phases: dict[str, Phase], standing: frozenset[str] = frozenset()
    ) -> None:
        """Count what a command did; `phases` are those before it, and `standing` what a corporate action finds."""
        seen, fired = self.seen, 0
        if not applied.recorded and applied.refused is not None:
            seen[applied.refused.refusal.name] += 1
        for event in applied.events:
            seen[type(event).__name__] += 1
            if type(event) is OrderUpdated:
                fired += self.count_order(event)
            elif type(event) is Refused:
                seen[event.refusal.name] += 1
            elif type(event) is PhaseChanged:
                seen[f"{event.phase.name} {event.reason}"] += 1
            elif type(event) is ActionEffected:
                seen.update(f"{event.kind.name} of {name}" for name in standing)
            elif type(event) is ActionFailed:
                seen[f"{event.kind.name} fails: {event.refusal.name}"] += 1
            elif type(event) is Traded:
                seen[f"trades in {phases[event.symbol].name}"] += 1
        if fired:
            seen["a stop fires"] += fired
            seen["several stops fire"] += fired > 1

    def count_order(self, now: OrderUpdated) -> bool:
        """Count what a report tells; returns whether a stop has fired."""
        seen, kind, status = self.seen, now.order_type.name, now.status.name
        seen[f"{kind} {status} {now.reason.name}"] += 1
        if now.status is OrderStatus.FILLED:
            seen[f"{now.time_in_force.name} FILLED"] += 1
        before = self._reports.get(now.order_id)
        self._reports[now.order_id] = now
        if before is None:
            return False
        if not now.is_open:
            del self._reports[now.order_id]
        is_lower = now.limit_e4 < before.limit_e4
        seen["an order is restated"] += is_lower and now.is_open and now.quantity_e8 > before.quantity_e8
        if before.status is not now.status:
            seen[f"{kind} {before.status.name}>{status}"] += 1
            seen[f"{before.status.name}>{status}"] += 1
        if now.special is None:
            return False
        return self.count_special(before, now, before.special or NO_SPECIAL, now.special)

    def count_special(self, before: OrderUpdated, now: OrderUpdated, old: Special, new: Special) -> bool:
        seen, name = self.seen, new.order_class.name
        filled_e8 = now.filled_e8 - before.filled_e8
        seen["a stop trails"] += new.trigger_e4 != old.trigger_e4
        seen["a slice is followed by another"] += bool(filled_e8 and new.shown_e8 >= old.shown_e8 > 0)
        if new.terms.lot_method is not None:
            seen[f"sold by {new.terms.lot_method.name}"] += bool(filled_e8)
        seen["a notional order is filled"] += bool(new.terms.notional_e4 and filled_e8)
        if now.quantity_e8 < before.quantity_e8 and now.filled_e8 == before.filled_e8 and old.is_armed:
            seen[f"an {name} order is shrunk by its pair"] += bool(new.group_id)
            seen[f"a {name} order is shrunk by its pair"] += bool(new.group_id)
        seen["a leg is armed"] += new.is_armed and not old.is_armed
        seen[f"an {name} order is armed"] += new.is_armed and not old.is_armed
        seen["a leg grows"] += bool(new.parent_id and old.is_armed and now.quantity_e8 > before.quantity_e8)
        return new.triggered_us != old.triggered_us


def missing(seen: Counter[str], features: frozenset[str]) -> list[str]:
    """What should have happened with these features and has not."""
    wanted = list(ALWAYS)
    for feature in sorted(features):
        wanted += BY_FEATURE[feature]
    terms = {name for names in BY_FEATURE.values() for name in names}
    wanted += [
        refusal.name
        for refusal in Refusal
        if refusal.name not in REFUSED_ELSEWHERE and refusal.name not in terms
    ]
    wanted += [
        f"{status.name}>{following.name}"
        for status, followings in STATUS_TABLE.items()
        for following in followings
        if following is not OrderStatus.REJECTED and (status is not OrderStatus.HELD or "stops" in features)
    ]
    return [name for name in wanted if not seen[name]]
