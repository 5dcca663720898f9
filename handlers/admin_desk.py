"""What operators look up: everybody's orders, and users."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from engine.events import OrderUpdated
from engine.state import State
from handlers.admin_audit import read_before
from handlers.call import Call
from handlers.envelope import Answer, MetaJson, raw_list, success, success_encoded
from handlers.field_types import (
    PRINTABLE,
    AccountId,
    AccountStatusName,
    Currency,
    KycStatus,
    RoleName,
    Time,
    UserId,
)
from handlers.numbers import NULL, NumberOrNull, cash
from handlers.order_json import encode_order
from handlers.orders_read import SYMBOL_MAX, statuses_of
from handlers.request_input import read_id, read_limit, read_page, read_text
from server import desk
from server.desk import UserRow

QUERY_MAX: Final = 100
PAGE_MAX: Final = 2_000

SearchText = Annotated[str, Meta(min_length=1, max_length=QUERY_MAX, pattern=PRINTABLE)]


class UserJson(Struct, frozen=True):
    """A user and the account. What belongs to the account is null for a user without one."""

    user_id: UserId
    email: str
    full_name: str
    phone: str | None
    roles: tuple[RoleName, ...]
    premium: bool
    email_verified: bool
    kyc_status: KycStatus
    kyc_tier: int
    created_at: Time
    last_login_at: Time | None
    account_id: AccountId | None
    status: AccountStatusName | None
    currency: Currency | None
    balance: NumberOrNull
    held: NumberOrNull
    open_orders: int


async def orders(call: Call) -> Answer:
    """`GET /admin/orders?account_id=&user_id=&symbol=&status=&cursor=&limit=`, newest first.

    Each is as its owner sees it, with `account_id` and `user_id`.
    """
    query, runtime = call.query, call.services.runtime
    account_id = read_id(query["account_id"], "acc_") if "account_id" in query else 0
    if "user_id" in query:
        owned_id = runtime.state.account_by_user.get(read_id(query["user_id"], "usr_"), -1)
        account_id = owned_id if account_id in (0, owned_id) else -1
    statuses, limit = statuses_of(call), read_limit(query)
    symbol = read_text(query, "symbol", most=SYMBOL_MAX) or ""
    before_id = read_before(call)
    seq = runtime.state.seq
    await runtime.wait_durable(seq)
    found = await desk.orders(
        call.services.database,
        call.services.write_behind,
        account_id=account_id,
        symbol=symbol,
        statuses=statuses,
        before_id=before_id,
        limit=limit,
    )
    return success_encoded(
        raw_list([_with_owner(runtime.state, order) for order in found.items]),
        meta=MetaJson(as_of_seq=seq, limit=limit, next_cursor=found.next_cursor),
    )


def _with_owner(state: State, order: OrderUpdated) -> bytes:
    user_id = state.accounts[order.account_id].user_id
    return b'{"account_id":"acc_%d","user_id":"usr_%d",%b' % (
        order.account_id,
        user_id,
        encode_order(order)[1:],
    )


async def users(call: Call) -> Answer:
    """`GET /admin/users?q=&page=&limit=`: whose address or name contains the text, by id."""
    text = read_text(call.query, "q", most=QUERY_MAX) or ""
    page, limit = read_page(call.query), read_limit(call.query)
    runtime = call.services.runtime
    seq = runtime.state.seq
    found, total = await desk.users(call.services.database, text, page, limit)
    rows = [_user_json(runtime.state, row) for row in found]
    await runtime.wait_durable(seq)
    return success(rows, meta=MetaJson(as_of_seq=seq, page=page, limit=limit, total=total))


def _user_json(state: State, row: UserRow) -> UserJson:
    account = state.accounts.get(state.account_by_user.get(row.user_id, 0))
    return UserJson(
        user_id=f"usr_{row.user_id}",
        email=row.email,
        full_name=row.full_name,
        phone=row.phone,
        roles=row.roles,
        premium=row.premium,
        email_verified=row.email_verified,
        kyc_status=row.kyc_status,
        kyc_tier=row.kyc_tier,
        created_at=row.created_at.isoformat().replace("+00:00", "Z"),
        last_login_at=row.last_login_at.isoformat().replace("+00:00", "Z") if row.last_login_at else None,
        account_id=f"acc_{account.account_id}" if account else None,
        status=account.status.name if account else None,
        currency=account.currency if account else None,
        balance=cash(account.cash_e4) if account else NULL,
        held=cash(account.held_e4) if account else NULL,
        open_orders=len(account.orders) if account else 0,
    )
