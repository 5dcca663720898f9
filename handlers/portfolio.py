"""The portfolio: one consistent answer from one sequence number, at the last published prices."""

from __future__ import annotations

from engine.state import Account
from handlers.call import Call
from handlers.envelope import Answer, encoded, success_as_of
from handlers.valuation import holding_json, portfolio_json, value_holdings
from server.errors import NotFound


async def portfolio(call: Call) -> Answer:
    """`GET /portfolio`."""
    runtime = call.services.runtime
    account = _account(call)
    seq = runtime.state.seq
    valued = value_holdings(runtime.state, account, call.services.market.last_e4)
    data = encoded(portfolio_json(account, valued, runtime.now_us()))
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def holdings(call: Call) -> Answer:
    """`GET /portfolio/holdings`."""
    runtime = call.services.runtime
    account = _account(call)
    seq = runtime.state.seq
    valued = value_holdings(runtime.state, account, call.services.market.last_e4)
    data = encoded([holding_json(holding) for holding in valued])
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


def _account(call: Call) -> Account:
    account = call.services.runtime.state.accounts.get(call.principal.account_id)
    if account is None:
        raise NotFound
    return account
