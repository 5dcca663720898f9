"""Risk rules while the server runs: for everybody, and exceptions for an account, an instrument, or one in the other.

What holds for everybody is config's at the next start; exceptions stay until somebody takes them away.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.apply import Applied
from engine.commands import SetRiskRule
from engine.kinds import RiskMode, RiskRule
from engine.refusals import Refusal
from engine.risk_figures import DEFAULTS
from engine.risk_state import EVERYBODY, RuleRow
from engine.state import State
from handlers.admin_risk import as_operator
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.field_types import PRINTABLE, AccountId, UserId, names
from handlers.order_body import SYMBOL_MAX, plain_text
from handlers.orders import HIT
from handlers.request_input import read_id
from handlers.risk_figures import FigureIn, FiguresJson, figures_json, read_figures
from handlers.violation_json import RiskRuleName
from server.errors import BadRequest, NotFound, RefusedAtBorder

ModeName = Annotated[str, Meta(extra_json_schema=names(RiskMode, RiskMode.INHERIT))]
ModeIn = Annotated[str, Meta(extra_json_schema=names(RiskMode, RiskMode.INHERIT))]
ExceptionModeIn = Annotated[str, Meta(extra_json_schema=names(RiskMode))]
Figures = Annotated[dict[str, FigureIn], Meta(max_length=8)]
_MODES: Final = {mode.name: mode for mode in RiskMode}


class RuleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT /admin/risk/rules/{rule}`. Figures that are left out stay as they are."""

    mode: ModeIn
    figures: Figures = {}


class ExceptionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT /admin/risk/exceptions/{rule}`: for a user, a symbol, or a user in a symbol. INHERIT takes the exception away.

    Figures that are left out are those of the exception there is, else of the rule.
    """

    mode: ExceptionModeIn
    user_id: UserId | None = None
    stock_symbol: (
        Annotated[str, Meta(max_length=SYMBOL_MAX, extra_json_schema={"pattern": PRINTABLE})] | None
    ) = None
    figures: Figures = {}


class RuleJson(Struct, frozen=True):
    """A rule as it holds for everybody. OFF: nobody is judged by it, but where an exception says so."""

    rule: RiskRuleName
    mode: ModeName
    figures: FiguresJson


class ExceptionJson(Struct, frozen=True):
    """What holds instead for an account, an instrument, or an account in an instrument: the narrowest counts."""

    rule: RiskRuleName
    account_id: AccountId | None
    user_id: UserId | None
    stock_symbol: str | None
    mode: ExceptionModeIn
    figures: FiguresJson


_rule = msgspec.json.Decoder(RuleBody)
_exception = msgspec.json.Decoder(ExceptionBody)


async def rules(call: Call) -> Answer:
    """`GET /admin/risk/rules`: all of them, in the order in which they are judged."""
    runtime = call.services.runtime
    seq = runtime.state.seq
    data = encoded([_rule_json(_row(runtime.state, rule)) for rule in RiskRule])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def set_rule(call: Call) -> Answer:
    """`PUT /admin/risk/rules/{rule}`: from now on, until config decides again at the next start."""
    rule = _read_rule(call)
    body = call.decode(_rule)
    mode = _read_mode(body.mode, without=RiskMode.INHERIT)
    now = _row(call.services.runtime.state, rule)
    wanted = RuleRow(rule, *EVERYBODY, mode, read_figures(rule, body.figures, now.figures))
    applied = await as_operator(call, SetRiskRule(rule, mode, wanted.figures))
    return _answer(call, applied, encoded(_rule_json(wanted)))


async def exceptions(call: Call) -> Answer:
    """`GET /admin/risk/exceptions`: by rule, account and symbol."""
    runtime = call.services.runtime
    state = runtime.state
    seq = state.seq
    keys = [key for key in sorted(state.risk_rules) if key[1:] != EVERYBODY]
    data = encoded([_exception_json(state, state.risk_rules[key]) for key in keys])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def set_exception(call: Call) -> Answer:
    """`PUT /admin/risk/exceptions/{rule}`."""
    rule = _read_rule(call)
    body = call.decode(_exception)
    mode = _read_mode(body.mode)
    state = call.services.runtime.state
    account_id = 0
    if body.user_id is not None:
        account_id = state.account_by_user.get(read_id(body.user_id, "usr_"), 0)
        if not account_id:
            raise NotFound("There is no such user.")
    symbol = plain_text(body.stock_symbol or "", "stock_symbol")
    if not account_id and not symbol:
        problem = "or stock_symbol is required: what holds for everybody is the rule itself"
        raise RefusedAtBorder(Refusal.INVALID_RISK_RULE, "user_id", problem)
    now = state.risk_rules.get((rule, account_id, symbol)) or _row(state, rule)
    figures = () if mode is RiskMode.INHERIT else read_figures(rule, body.figures, now.figures)
    applied = await as_operator(call, SetRiskRule(rule, mode, figures, account_id, symbol))
    wanted = RuleRow(rule, account_id, symbol, mode, figures or now.figures)
    return _answer(call, applied, encoded(_exception_json(state, wanted)))


def _row(state: State, rule: RiskRule) -> RuleRow:
    """A rule as it holds for everybody; OFF with its default figures where it was never set."""
    row = state.risk_rules.get((rule, *EVERYBODY))
    return row or RuleRow(rule, *EVERYBODY, RiskMode.OFF, DEFAULTS[rule])


def _read_rule(call: Call) -> RiskRule:
    name = call.path("rule")
    if name not in RiskRule.__members__:
        raise NotFound("There is no such risk rule.")
    return RiskRule[name]


def _read_mode(name: str, without: RiskMode | None = None) -> RiskMode:
    mode = _MODES.get(name)
    if mode is None or mode is without:
        allowed = [each.name for each in RiskMode if each is not without]
        raise BadRequest("mode", f"must be one of {', '.join(allowed)}")
    return mode


def _rule_json(row: RuleRow) -> RuleJson:
    return RuleJson(row.rule.name, row.mode.name, figures_json(row.rule, row.figures))


def _exception_json(state: State, row: RuleRow) -> ExceptionJson:
    account = state.accounts.get(row.account_id)
    return ExceptionJson(
        rule=row.rule.name,
        account_id=f"acc_{row.account_id}" if account is not None else None,
        user_id=f"usr_{account.user_id}" if account is not None else None,
        stock_symbol=row.symbol or None,
        mode=row.mode.name,
        figures=figures_json(row.rule, row.figures),
    )


def _answer(call: Call, applied: Applied, done: bytes) -> Answer:
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    return success_as_of(done, applied.seq, headers=HIT if applied.duplicate else None)
