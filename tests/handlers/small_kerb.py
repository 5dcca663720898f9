"""A whole Kerb in this process, on a real socket, over a real journal and database: everything but market feeds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from yarl import URL

from config.settings import Settings
from engine.commands import Envelope, TransferIn
from engine.kinds import Source
from feeds.busted_candles import BustedCandles
from feeds.candles import CandleBook
from feeds.own_candles import OwnTrades
from handlers.app import build_runner
from handlers.gate_listener import open_gates
from handlers.ws_hub import make_hub
from server.admission import Admission
from server.auth import Auth
from server.bank import Bank
from server.clock import WallClock
from server.database import Database
from server.gauges import watch
from server.history import History
from server.listening_socket import listening_socket
from server.mail import make_mailer
from server.market_view import MarketView
from server.metrics import Metrics
from server.outbox import Outbox
from server.rate_limits import RateLimits
from server.services import Services
from server.standing import disabled_users
from tests.server.ledger_world import World, open_world

SECRET = "a-published-secret-for-tests-only-0123456789"
PASSWORD = "correct horse battery staple"


class Reply:
    """An answer: its status, headers and decoded envelope; `data`, `meta` and `code` are parts of that."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        is_json = headers.get("Content-Type", "").startswith("application/json")
        self.json: Any = msgspec.json.decode(body) if body and is_json else None

    def __repr__(self) -> str:
        return f"<Reply {self.status} {self.body[:300]!r}>"

    @property
    def data(self) -> Any:
        assert self.json["success"] is True, self
        return self.json["data"]

    @property
    def meta(self) -> Any:
        return self.json["meta"]

    @property
    def error(self) -> Any:
        assert self.json["success"] is False, self
        return self.json["error"]

    @property
    def code(self) -> str:
        """The error's code; '' for an answer outside of the envelope."""
        return "" if self.json is None else str(self.error["code"])


class Client:
    """One user's HTTP client. `token` '' sends none."""

    def __init__(self, http: aiohttp.ClientSession, base: str, token: str = "") -> None:
        self.http = http
        self.base = base
        self.token = token
        self.password = PASSWORD
        self.refresh_token = ""
        self.user_id = ""
        self.account_id = 0

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        root: bool = False,
    ) -> Reply:
        """Call `path` below the base (or below `/` with `root`); `raw` is sent as it is."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = raw
        if body is not None:
            data = msgspec.json.encode(body)
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        url = URL(f"{self.base}{'' if root else '/api/v1'}{path}", encoded=True)
        async with self.http.request(
            method, url, data=BytesIO(data) if data else None, headers=sent
        ) as response:
            return Reply(response.status, response.headers, await response.read())

    async def deposit(self, amount: str) -> Reply:
        reply = await self("POST", "/wallet/deposit", {"amount": amount, "payment_method": "CARD"})
        assert reply.status == 201, reply
        return reply

    async def place(self, side: str, quantity: str, price: str | None = None, **more: Any) -> Reply:
        """An order for AAPL: LIMIT with a price, MARKET without."""
        order = {"stock_symbol": "AAPL", "side": side, "quantity": quantity, "order_type": "MARKET"}
        if price is not None:
            order |= {"order_type": "LIMIT", "price": price}
        headers = more.pop("headers", None)
        return await self("POST", "/orders", order | more, headers=headers)


class SmallKerb:
    """The running server and its parts."""

    def __init__(self, services: Services, world: World, url: str, http: aiohttp.ClientSession) -> None:
        self.services = services
        self.world = world
        self.url = url
        self.http = http

    def anonymous(self) -> Client:
        return Client(self.http, self.url)

    async def trader(self, name: str = "trader", cash: str | None = None, units: int = 0) -> Client:
        """A registered and signed-in user, with cash and units of AAPL."""
        client = await self._sign_up(name)
        if cash is not None:
            await client.deposit(cash)
        if units:
            transfer = TransferIn(client.account_id, "AAPL", units * 10**8, units * 1_000_000)
            await self.services.runtime.execute(transfer, Envelope(Source.OPERATOR))
        return client

    async def admin(self, name: str = "operator") -> Client:
        client = await self._sign_up(name)
        await self.services.database.execute(
            "UPDATE users SET roles = '{admin}' WHERE user_id = $1", int(client.user_id.removeprefix("usr_"))
        )
        await sign_in(client, f"{name}@example.com")
        return client

    async def _sign_up(self, name: str) -> Client:
        client = self.anonymous()
        email = f"{name}@example.com"
        registered = await client(
            "POST", "/auth/register", {"email": email, "password": PASSWORD, "full_name": name.title()}
        )
        assert registered.status == 201, registered
        client.user_id = registered.data["user_id"]
        client.account_id = int(registered.data["account_id"].removeprefix("acc_"))
        await sign_in(client, email)
        return client


async def sign_in(client: Client, email: str) -> Reply:
    """Log in and keep the tokens."""
    reply = await client("POST", "/auth/login", {"email": email, "password": client.password})
    assert reply.status == 200, reply
    client.token, client.refresh_token = reply.data["access_token"], reply.data["refresh_token"]
    return reply


@asynccontextmanager
async def open_small_kerb(dsn: str, folder: Path, settings: Settings) -> AsyncIterator[SmallKerb]:
    """Start everything until the block ends: over an empty database with two symbols listed, or over one of before."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(dsn, folder))
        if not world.state.instruments:
            world.found(traders=0)
        services = await _start_services(stack, dsn, world, settings)
        runner = build_runner(services)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listening_socket("127.0.0.1", 0, settings.stream)).start()
        gates = await open_gates(services)
        stack.push_async_callback(gates.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield SmallKerb(services, world, f"http://127.0.0.1:{runner.addresses[0][1]}", http)


async def _start_services(stack: AsyncExitStack, dsn: str, world: World, settings: Settings) -> Services:
    runtime = world.runtime
    database = Database(dsn, pool_min=1, pool_max=5)
    await database.open()
    stack.push_async_callback(database.close)
    outbox = Outbox(database, runtime)
    accounts = runtime.state.account_by_user
    auth = Auth(
        *(settings.auth, SECRET, database, outbox, lambda user: accounts.get(user, 0)),
        disabled_users=lambda: disabled_users(runtime.state),
        mail=settings.mail,
        mailer=make_mailer(settings.mail, settings.data_dir),
    )
    stack.callback(auth.close)
    market = MarketView()
    await runtime.wait_durable(runtime.state.seq)
    market.seed(runtime.state, now_us=runtime.now_us())
    runtime.add_listener(market.listener)
    candles = CandleBook()
    busted = BustedCandles(database, world.write_behind, market, candles)
    OwnTrades(candles, except_symbols=frozenset(), on_bust=busted.add).follow(market)
    busted.start(runtime.durable_seq)
    stack.push_async_callback(busted.stop)
    bank = Bank(runtime)
    services = Services(
        settings=settings,
        runtime=runtime,
        database=database,
        write_behind=world.write_behind,
        history=History(database, world.write_behind),
        auth=auth,
        outbox=outbox,
        bank=bank,
        market=market,
        candles=candles,
        hub=make_hub(market, runtime, candles, settings.stream, WallClock()),
        rate_limits=RateLimits(settings.limits),
        admission=Admission(settings.overload, runtime.journal.waiting_since_s),
        metrics=Metrics(),
    )
    services.hub.private.seed_from_records(runtime.durable_records(after=0), runtime.durable_seq)
    runtime.add_listener(services.hub.listener)
    watch(services)
    auth.tell(services.hub)
    await auth.start()
    await outbox.start()
    stack.push_async_callback(outbox.stop)
    bank.start()
    stack.push_async_callback(bank.stop)
    return services
