"""Paper money: the users that a demo begins with, and what they own. Seeding twice changes nothing.

Two traders to log in as, two operators, a market maker, and noise traders who only make the market move.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from engine.commands import Deposit, Envelope, TransferIn
from engine.kinds import Source
from engine.risk import reference_e4
from engine.state import State
from engine.units import CASH_SCALE, QUANTITY_SCALE, notional_up_e4
from server.auth import Auth, NewUser
from server.database import Database
from server.principal import Role
from server.runtime import Runtime
from sql import users

PASSWORD: Final = "paper-money-2026"  # noqa: S105 published: the demo listens on loopback only
MAKER_UNITS: Final = 50_000
TRADER_UNITS: Final = 100
TRADER_SYMBOLS: Final = 5
NOISE_UNITS: Final = 500
NOISE_TRADERS: Final = 4


class DemoUser(Struct, frozen=True):
    """Someone to seed: `units` of each of the first `symbols` instruments (None: all), and cash."""

    email: str
    full_name: str
    roles: tuple[Role, ...]
    cash_e4: int
    units: int
    symbols: int | None = None
    can_sign_in: bool = True


TRADERS: Final = tuple(
    DemoUser(
        f"trader{number}@kerb.example",
        f"Demo Trader {number}",
        (Role.TRADER,),
        100_000 * CASH_SCALE,
        TRADER_UNITS,
        TRADER_SYMBOLS,
    )
    for number in (1, 2)
)
OPERATOR: Final = DemoUser("operator@kerb.example", "Demo Operator", (Role.ADMIN,), 0, 0)
OTHER_OPERATOR: Final = DemoUser("operator2@kerb.example", "Demo Operator 2", (Role.ADMIN,), 0, 0)
"""Some things need two: who proposes a cash adjustment cannot approve it."""
MAKER: Final = DemoUser(
    "maker@kerb.example", "Demo Market Maker", (Role.MARKET_MAKER,), 10**8 * CASH_SCALE, MAKER_UNITS
)
NOISE: Final = tuple(
    DemoUser(
        f"noise{number}@kerb.example",
        f"Noise Trader {number}",
        (Role.TRADER,),
        10**7 * CASH_SCALE,
        NOISE_UNITS,
        can_sign_in=False,
    )
    for number in range(1, NOISE_TRADERS + 1)
)
LOGINS: Final = (*TRADERS, MAKER, OPERATOR, OTHER_OPERATOR)


class DemoAccounts(Struct, frozen=True):
    """The account ids that the simulated market trades with."""

    maker: int
    noise: tuple[int, ...]


async def seed(auth: Auth, database: Database, runtime: Runtime) -> DemoAccounts:
    """Register whoever is missing and give each new account what it begins with."""
    state = runtime.state
    accounts: dict[str, int] = {}
    for user in (*LOGINS, *NOISE):
        accounts[user.email] = account_id = await _account_of(user, auth, database, state)
        if state.accounts[account_id].contributed_e4 == 0:
            _endow(user, account_id, runtime)
    await runtime.wait_durable(state.seq)
    return DemoAccounts(accounts[MAKER.email], tuple(accounts[user.email] for user in NOISE))


async def _account_of(user: DemoUser, auth: Auth, database: Database, state: State) -> int:
    row = await database.fetchrow(users.USER_FOR_LOGIN, user.email)
    if row is not None:
        return state.account_by_user[row["user_id"]]
    password = PASSWORD if user.can_sign_in else secrets.token_urlsafe()
    registered = await auth.register(
        NewUser(user.email, password, user.full_name, roles=user.roles, verified=True)
    )
    return registered.account_id


def _endow(user: DemoUser, account_id: int, runtime: Runtime) -> None:
    """All commands in one turn of the loop, so that an account is endowed whole or not at all."""
    envelope = Envelope(Source.OPERATOR, 0, account_id, request_id="demo")
    for symbol in _symbols(runtime.state, user.symbols) if user.units else ():
        units_e8 = user.units * QUANTITY_SCALE
        cost_e4 = notional_up_e4(reference_e4(runtime.state.instruments[symbol]), units_e8)
        runtime.submit(TransferIn(account_id, symbol, units_e8, cost_e4), envelope)
    if user.cash_e4:
        runtime.submit(Deposit(user.cash_e4, "BANK_TRANSFER"), envelope)


def _symbols(state: State, count: int | None) -> Sequence[str]:
    return sorted(state.instruments)[:count]


def banner(url: str, state: State, gate_port: int) -> str:
    """What a newcomer needs: where, as whom, and one order to paste."""
    symbol = next(iter(sorted(state.instruments)), "AAPL")
    login = f'{{"email":"{TRADERS[0].email}","password":"{PASSWORD}"}}'
    order = f'{{"stock_symbol":"{symbol}","side":"BUY","order_type":"MARKET","quantity":1}}'
    json_type = "-H 'Content-Type: application/json'"
    token = f"curl -s {url}/api/v1/auth/login {json_type} -d '{login}' | grep -o '\"access_token\":\"[^\"]*' | cut -d'\"' -f4"
    curl = (
        f'curl -s {url}/api/v1/orders -H "Authorization: Bearer $({token})" {json_type}'
        f" -H \"Idempotency-Key: $(date +%s%N)\" -d '{order}'"
    )
    subscribe = f'{{"action":"subscribe","channels":["quotes","trades"],"symbols":["{symbol}"]}}'
    emails = "".join(f"  {user.email:26} {user.full_name}\n" for user in LOGINS)
    return (
        f"\nKerb is running with paper money: no real money moves here.\n\n"
        f"HTTP       {url}/api/v1   ({url}/healthz, /readyz, /metrics)\n"
        f"WebSocket  {url.replace('http', 'ws', 1)}/api/v1/ws   send {subscribe}\n"
        f"Market     {len(state.instruments)} instruments, {symbol} and others\n"
        f"Car parks  {', '.join(sorted(state.parking.lots)) or 'none'}   gates connect to port {gate_port} (docs/gates.md)\n\n"
        f"Sign in as (password {PASSWORD})\n{emails}\n"
        f"Place an order:\n{curl}\n\nStop with Ctrl-C.\n"
    )
