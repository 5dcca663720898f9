"""What must hold of settlement after every command (engine/invariants.py calls it): buckets, days and timers agree."""

from __future__ import annotations

from collections.abc import Iterator

from engine.kinds import AccountKind, TimerKind
from engine.settlement import VIOLATIONS_KEPT, buying_power_e4, withdrawable_e4
from engine.state import Account, State


def broken_settlement(state: State) -> Iterator[str]:
    """Every broken rule of settlement, in words."""
    buckets = 0
    for account in state.accounts.values():
        buckets += len(account.buckets)
        yield from broken_cash(state, account)
    if buckets != len(state.unsettled):
        yield f"{len(state.unsettled)} buckets, the accounts have {buckets}"
    timers = {each.timer_id for each in state.timers.values() if each.kind is TimerKind.SETTLEMENT}
    if timers != {settling.timer_id for settling in state.settling.values()}:
        yield "the timers for settlement are not those of the days that will settle"
    for key, settling in state.settling.items():
        timer = state.timers.get(settling.timer_id)
        if timer is not None and (timer.due_us, timer.target) != (settling.due_us, f"{key[0]} {key[1]}"):
            yield f"the timer of {key} is for {timer.target} at {timer.due_us}"
    for lot_id, lot in state.funded_lots.items():
        if not lot.parts or any(part[2] <= 0 or part[:2] not in state.settling for part in lot.parts):
            yield f"lot {lot_id} was bought with {lot.parts}"
    pending = state.settling or state.unsettled or state.funded_lots
    if pending and not state.watches_fills:
        yield "something has to settle, and fills are not watched"


def broken_cash(state: State, account: Account) -> Iterator[str]:
    """Unsettled cash is what its buckets have, and no more than there is beside what leaves."""
    name = f"account {account.account_id}"
    leaving_e4 = sum(
        [each.amount_e4 for each in state.withdrawals.values() if each.account_id == account.account_id]
    )
    if account.leaving_e4 != leaving_e4:
        yield f"{name} has {account.leaving_e4} on the way out, its withdrawals are {leaving_e4}"
    in_buckets_e4 = sum([bucket.amount_e4 for bucket in account.buckets.values()])
    if account.unsettled_e4 != in_buckets_e4:
        yield f"{name} has {account.unsettled_e4} unsettled, its buckets {in_buckets_e4}"
    if not 0 <= account.unsettled_e4 <= account.cash_e4 - leaving_e4:
        yield f"{name} has {account.unsettled_e4} unsettled of {account.cash_e4}, {leaving_e4} leave"
    for (day, market), bucket in account.buckets.items():
        key = (market, day, account.account_id)
        if state.unsettled.get(key) is not bucket or (market, day) not in state.settling:
            yield f"{name}: bucket {key} is unknown, or nothing settles then"
        if min(bucket.amount_e4, bucket.instant_e4) < 0 or not bucket.amount_e4 + bucket.instant_e4:
            yield f"{name}: bucket {key} has {bucket.amount_e4}, advanced {bucket.instant_e4}"
    if account.buckets and account.kind is not AccountKind.USER:
        yield f"{name} is no cash account and has unsettled cash"
    if not 0 <= withdrawable_e4(account) <= account.available_e4:
        yield f"{name} may take out {withdrawable_e4(account)} of {account.available_e4}"
    if not 0 <= buying_power_e4(account, state.last_us) <= account.available_e4:
        yield f"{name} may buy for {buying_power_e4(account, state.last_us)} of {account.available_e4}"
    if len(account.violations) > VIOLATIONS_KEPT or list(account.violations) != sorted(account.violations):
        yield f"{name} has violations {account.violations}"
