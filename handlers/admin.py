"""What an operator can stop: an instrument, a user, the market."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.commands import AnyCommand, HaltSymbol, ResumeSymbol, SetAccountStatus, SetKillSwitch
from engine.kinds import AccountStatus, KillScope
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.field_types import PRINTABLE, AccountId, AccountStatusName, KillScopeName, UserId
from handlers.order_body import SYMBOL_MAX, plain_text
from handlers.orders import HIT
from handlers.request_input import read_id
from server.desk import operators as operators_of
from server.errors import AccountDisabled, BadRequest, LastOperator, NotFound

REASON_MAX: Final = 200
_PLAIN: Final = Meta(extra_json_schema={"pattern": PRINTABLE})
Reason = Annotated[str, Meta(max_length=REASON_MAX), _PLAIN]


class KillScopeIn(StrEnum):
    """What a kill switch stops."""

    MARKET = "MARKET"
    SYMBOL = "SYMBOL"
    ACCOUNT = "ACCOUNT"


class ReasonBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why; may be left out."""

    reason: Reason = ""


class KillSwitchBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /admin/kill-switch`. `target` is a symbol or an account id; none for the market."""

    scope: KillScopeIn
    on: bool
    target: Annotated[str, Meta(max_length=SYMBOL_MAX), _PLAIN] = ""
    reason: Reason = ""


class SymbolStatusJson(Struct, frozen=True):
    """An instrument after the command."""

    symbol: str
    halted: bool


class UserStatusJson(Struct, frozen=True):
    """A user after the command."""

    user_id: UserId
    account_id: AccountId
    status: AccountStatusName


class KillSwitchJson(Struct, frozen=True):
    """A kill switch after the command."""

    scope: KillScopeName
    target: str
    on: bool
    reason: str


_reason = msgspec.json.Decoder(ReasonBody)
_kill_switch = msgspec.json.Decoder(KillSwitchBody)


async def halt(call: Call) -> Answer:
    """`POST /admin/instruments/{symbol}/halt`: resting orders stay and can be cancelled."""
    symbol = call.path("symbol")
    return await _carry_out(
        call, HaltSymbol(symbol, _read_reason(call)), SymbolStatusJson(symbol, halted=True)
    )


async def resume(call: Call) -> Answer:
    """`POST /admin/instruments/{symbol}/resume`."""
    symbol = call.path("symbol")
    _read_reason(call)  # the command has no place for it, but the audit keeps what was sent
    return await _carry_out(call, ResumeSymbol(symbol), SymbolStatusJson(symbol, halted=False))


async def kill_switch(call: Call) -> Answer:
    """`POST /admin/kill-switch`: on cancels what is open in its scope and refuses new orders."""
    body = call.decode(_kill_switch)
    scope = KillScope[body.scope.name]
    target = plain_text(body.target, "target")
    if scope is KillScope.MARKET:
        if target:
            raise BadRequest("target", "is not allowed for the market")
    elif not target:
        raise BadRequest("target", "is required")
    engine_target = str(read_id(target, "acc_")) if scope is KillScope.ACCOUNT else target
    command = SetKillSwitch(scope, engine_target, body.on, plain_text(body.reason, "reason"))
    return await _carry_out(call, command, KillSwitchJson(scope.name, target, body.on, body.reason))


async def disable(call: Call) -> Answer:
    """`POST /admin/users/{id}/disable`: cancels the user's orders, ends sessions and sockets, and lets nobody in again."""
    return await _set_status(call, AccountStatus.DISABLED)


async def enable(call: Call) -> Answer:
    """`POST /admin/users/{id}/enable`."""
    return await _set_status(call, AccountStatus.ACTIVE)


async def _set_status(call: Call, status: AccountStatus) -> Answer:
    user_id = read_id(call.path("user_id"), "usr_")
    reason = _read_reason(call)
    state = call.services.runtime.state
    account_id = state.account_by_user.get(user_id)
    if account_id is None:
        raise NotFound("There is no such user.")
    if status is AccountStatus.DISABLED:
        await _keep_an_operator(call, user_id)
    command = SetAccountStatus(account_id, status, reason)
    done = UserStatusJson(f"usr_{user_id}", f"acc_{account_id}", status.name)
    answer = await _carry_out(call, command, done)
    # By the state, not by the command: a repeated idempotency key repeats the answer and nothing else.
    is_disabled = state.accounts[account_id].status is AccountStatus.DISABLED
    await call.services.auth.set_disabled(user_id, is_disabled)
    return answer


async def _keep_an_operator(call: Call, user_id: int) -> None:
    """Raises LastOperator when nobody with the role would be left to enable anybody.

    Whoever disables another one is left, if nobody has disabled the caller meanwhile (AccountDisabled); only a caller who
    disables himself needs PostgreSQL, to know who else has the role. That leaves one: four eyes then wait until
    `run.py roles` has made a second, but to send an operator away must not wait. Nothing is awaited between the last look
    at the accounts and the command.
    """
    caller_id = call.principal.user_id
    operators = {caller_id}
    if user_id == caller_id:
        operators = await operators_of(call.services.database) - {caller_id}
    state = call.services.runtime.state
    accounts = (
        state.accounts[state.account_by_user[each]] for each in operators if each in state.account_by_user
    )
    if not any(account.status is AccountStatus.ACTIVE for account in accounts):
        raise LastOperator if user_id == caller_id else AccountDisabled


async def _carry_out(call: Call, command: AnyCommand, done: Struct) -> Answer:
    applied = await call.execute(command)
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, in_path=True, duplicate=applied.duplicate)
    return success_as_of(encoded(done), applied.seq, headers=HIT if applied.duplicate else None)


def _read_reason(call: Call) -> str:
    return plain_text(call.decode(_reason).reason, "reason") if call.body else ""
