"""A load of orders over real sockets which knows, of every request, what was sent and what was answered, if anything.

Traders place resting and crossing LIMIT orders, cancel, replace and pay in, over HTTP and WebSocket, with idempotency
keys and client order ids. A request is in doubt from the moment it is sent until its answer has been read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count
from random import Random
from typing import Any, Final

import aiohttp
import msgspec

from server.demo import MAKER, PASSWORD
from tests.handlers.small_kerb import Client, Reply
from tests.kerb_process import KerbProcess

Json = dict[str, Any]

REFERENCES: Final = {"AIG": 4_770, "AMD": 15_840, "JPM": 28_710}
"""Symbols that are traded → their price in cents."""

QUIET_SYMBOL: Final = "KO"
QUIET_PRICE: Final = "70.40"
"""A symbol that the load leaves alone: every trader has units of it too."""

CASH: Final = "20000000"
UNITS: Final = 2_000
OPEN_MAX: Final = 100
"""Open orders of one trader from which on every other request is a cancel."""

OPEN_STATUSES: Final = ("PENDING", "PARTIAL")


class Kind(Enum):
    """What a request asks for."""

    PLACE = ("POST", "/orders")
    CANCEL = ("DELETE", "/orders/{}")
    REPLACE = ("PATCH", "/orders/{}")
    DEPOSIT = ("POST", "/wallet/deposit")


class Outcome(Enum):
    """What the client knows of a request."""

    IN_DOUBT = auto()
    DONE = auto()
    REFUSED = auto()
    NOT_TAKEN = auto()
    """503: nothing was done, no key was used up."""


@dataclass(slots=True, eq=False)
class Sent:
    """One request. `order_id` is what it cancels or replaces; `seq` the `as_of_seq` of its answer, where it had one;
    `lasts` whether the order that it makes may be cancelled or replaced later.
    """

    trader: Trader
    kind: Kind
    body: Json
    key: str = ""
    order_id: str = ""
    outcome: Outcome = Outcome.IN_DOUBT
    answer: Any = None
    code: str = ""
    seq: int = 0
    hit: bool = False
    lasts: bool = True

    @property
    def client_order_id(self) -> str:
        """'' for what makes no order."""
        return str(self.body.get("client_order_id", ""))

    def again(self) -> Sent:
        """The same request, to be sent once more."""
        return Sent(self.trader, self.kind, self.body, self.key, self.order_id)

    def heard(self, reply: Reply) -> None:
        """The answer over HTTP."""
        self.hit = reply.headers.get("Idempotency-Hit") == "true"
        if reply.status in (200, 201):
            self.outcome, self.answer, self.seq = Outcome.DONE, reply.data, reply.meta["as_of_seq"]
            return
        if reply.status == 500:  # nobody knows
            return
        self.code = reply.code
        self.outcome = Outcome.NOT_TAKEN if reply.status in (429, 503) else Outcome.REFUSED
        assert reply.status in (404, 409, 422, 429, 503), reply

    def heard_on_socket(self, message: Json) -> None:
        """The answer over a WebSocket."""
        self.hit = message.get("idempotency_hit", False)
        if message["type"] == "ok":
            self.outcome, self.answer = Outcome.DONE, message["data"]
            return
        self.code = message["code"]
        self.outcome = Outcome.NOT_TAKEN if message["temporary"] else Outcome.REFUSED


@dataclass(slots=True, eq=False)
class Trader:
    """A user of the load. `open` are ids of orders that were open when they were last heard of."""

    name: str
    client: Client = field(repr=False)
    open: list[str] = field(default_factory=list, repr=False)

    def settle(self, sent: Sent) -> None:
        """Remember what may be cancelled and replaced later."""
        if sent.kind in (Kind.PLACE, Kind.REPLACE) and sent.outcome is Outcome.DONE:
            if sent.answer["status"] in OPEN_STATUSES and sent.lasts:
                self.open.append(sent.answer["order_id"])
        elif sent.kind is Kind.REPLACE and sent.code == "INVALID_REPLACE":
            self.open.append(sent.order_id)


async def send(sent: Sent) -> Sent:
    """Send over HTTP and read the answer. Raises what the connection raises; then it stays in doubt."""
    method, path = sent.kind.value
    headers = {"Idempotency-Key": sent.key} if sent.key else None
    sent.heard(
        await sent.trader.client(method, path.format(sent.order_id), sent.body or None, headers=headers)
    )
    return sent


class Requests:
    """Makes requests at random; no two with the same key, client order id or deposited amount.

    `calm`: only orders far from the market are cancelled or replaced, so that hardly any cancel comes too late. An
    answer to those needs PostgreSQL.
    """

    def __init__(
        self, seed: int, prefix: str, numbers: Iterator[int], keyed_percent: int = 70, *, calm: bool = False
    ) -> None:
        self.random = Random(seed)
        self._prefix = prefix
        self._numbers = numbers
        self._keyed_percent = keyed_percent
        self._calm = calm

    def key(self) -> str:
        """A new key; '' for some requests that do without."""
        return self.certain_key() if self.random.randrange(100) < self._keyed_percent else ""

    def certain_key(self) -> str:
        """A new key."""
        return f"{self._prefix}-{next(self._numbers)}"

    def place(self, trader: Trader) -> Sent:
        """A LIMIT order: 3 of 5 rest far from the market, 2 cross it."""
        random = self.random
        symbol = random.choice(list(REFERENCES))
        side = random.choice(("BUY", "SELL"))
        if random.randrange(5) < 2:
            away = random.randrange(-10, 1 if self._calm else 10)
        else:
            away = random.randrange(200, 1_500)
        per_10_000 = 10_000 - away if side == "BUY" else 10_000 + away
        cents = REFERENCES[symbol] * per_10_000 // 10_000
        body = {
            "stock_symbol": symbol,
            "side": side,
            "order_type": "LIMIT",
            "quantity": f"{random.randrange(1, 50_000) / 10_000:.4f}",
            "price": f"{cents / 100:.2f}",
            "time_in_force": random.choice(("GTC", "GTC", "GTC", "IOC")),
        }
        return self.identified(
            Sent(trader, Kind.PLACE, body, self.key(), lasts=away >= 200 or not self._calm)
        )

    def identified(self, sent: Sent) -> Sent:
        """With a client order id: an order without one cannot be found when its answer was lost.

        A calm load, which loses no answers, has them where it has keys: both are remembered for a day.
        """
        if sent.key or not self._calm:
            sent.body["client_order_id"] = sent.key or f"{self._prefix}-c{next(self._numbers)}"
        return sent

    def cancel(self, trader: Trader, *, with_key: bool) -> Sent:
        """A cancel of one of the older open orders."""
        place = self.random.randrange(min(len(trader.open), 20))
        return Sent(trader, Kind.CANCEL, {}, self.key() if with_key else "", trader.open.pop(place))

    def replace(self, trader: Trader) -> Sent:
        """A new quantity, which may be less than what is filled, for one of the newest orders."""
        order_id = trader.open.pop()
        body = {"quantity": f"{self.random.randrange(1, 60_000) / 10_000:.4f}"}
        return self.identified(Sent(trader, Kind.REPLACE, body, self.key(), order_id))

    def deposit(self, trader: Trader) -> Sent:
        """An amount that nobody has paid in before."""
        body = {"amount": f"{100 + next(self._numbers) / 100:.2f}", "payment_method": "CARD"}
        return Sent(trader, Kind.DEPOSIT, body, self.key())

    def over_http(self, trader: Trader) -> Sent:
        """Any request."""
        roll = self.random.randrange(100)
        if trader.open and roll < (20 if len(trader.open) < OPEN_MAX else 50):
            return self.cancel(trader, with_key=True)
        if trader.open and roll < 30:
            return self.replace(trader)
        return self.deposit(trader) if roll < 33 else self.place(trader)

    def over_socket(self, trader: Trader) -> Sent:
        """A request that may be sent over a WebSocket."""
        roll = self.random.randrange(100)
        if trader.open and roll < (25 if len(trader.open) < OPEN_MAX else 50):
            return self.cancel(trader, with_key=False)
        return self.place(trader)


class Load:
    """Workers that send until `stop` or until the server is gone; `requests` holds all they sent, in order.

    `faults` are answers that should not have come.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        traders: Sequence[Trader],
        make: Requests,
        *,
        http_workers: int = 1,
        batch: int = 8,
    ) -> None:
        self.requests: list[Sent] = []
        self.faults: list[str] = []
        self.connections_lost = 0
        self._http = http
        self._traders = traders
        self._make = make
        self._http_workers = http_workers
        self._batch = batch
        self._rate_max = 0
        self._paced_from = (0.0, 0)
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to send."""
        loop = asyncio.get_running_loop()
        for trader in self._traders:
            workers = [self._over_http] * self._http_workers + [self._over_socket]
            self._tasks += [loop.create_task(self._work(worker, trader)) for worker in workers]

    def pace(self, rate_max: int) -> None:
        """From now on so many requests a second altogether; until then as many as go."""
        self._rate_max = rate_max
        self._paced_from = (asyncio.get_running_loop().time(), len(self.requests))

    async def stop(self) -> None:
        """Send nothing more, and wait for what is under way."""
        self._stopping = True
        await self.ended()

    async def ended(self) -> None:
        """Every worker has ended. Raises what is none of the network's faults."""
        await asyncio.gather(*self._tasks)
        self._tasks.clear()

    def abandon(self) -> None:
        """Send nothing more and wait for nothing: something has failed."""
        for task in self._tasks:
            task.cancel()

    def count(self, outcome: Outcome) -> int:
        """How many requests have it."""
        return sum(sent.outcome is outcome for sent in self.requests)

    async def _work(self, worker: Any, trader: Trader) -> None:
        try:
            await worker(trader)
        except (aiohttp.ClientError, OSError, EOFError, TimeoutError):
            self.connections_lost += 1

    async def _pace(self) -> None:
        """Wait while more has been sent than the pace allows by now."""
        if self._rate_max:
            begun_s, before = self._paced_from
            due_s = begun_s + (len(self.requests) - before) / self._rate_max
            await asyncio.sleep(due_s - asyncio.get_running_loop().time())

    async def _over_http(self, trader: Trader) -> None:
        done: list[Sent] = []
        while not self._stopping:
            await self._pace()
            if done and self._make.random.randrange(20) == 0:
                await self._repeat(self._make.random.choice(done))
                continue
            sent = self._make.over_http(trader)
            self.requests.append(sent)
            trader.settle(await send(sent))
            if sent.key and sent.outcome is Outcome.DONE:
                done = [*done[-50:], sent]

    async def _repeat(self, first: Sent) -> None:
        """The same key again, while everything else goes on: the same answer, and no second effect."""
        second = await send(first.again())
        if second.outcome is Outcome.NOT_TAKEN:
            return
        if not second.hit or second.answer != first.answer:
            self.faults.append(f"{first} was answered differently the second time: {second}")

    async def _over_socket(self, trader: Trader) -> None:
        async with connect(self._http, trader) as socket:
            while not self._stopping:
                await self._pace()
                size = self._make.random.choice((1, self._batch))
                batch = [self._make.over_socket(trader) for _ in range(size)]
                self.requests += batch
                await send_batch(socket, batch)
                for sent in batch:
                    trader.settle(sent)


def connect(http: aiohttp.ClientSession, trader: Trader) -> Any:
    """A WebSocket, signed in."""
    headers = {"Authorization": f"Bearer {trader.client.token}"}
    return http.ws_connect(f"{trader.client.base}/api/v1/ws", headers=headers, compress=0)


async def send_batch(socket: aiohttp.ClientWebSocketResponse, batch: Sequence[Sent]) -> None:
    """Send and read the results: several as one `orders.batch`, one by itself. Raises EOFError when the server has gone."""
    items = [item(sent) for sent in batch]
    message = {"action": "orders.batch", "orders": items} if len(batch) > 1 else alone(batch[0])
    await socket.send_str(msgspec.json.encode({"id": 1, **message}).decode())
    answer: Json = {}
    while answer.get("id") != 1:  # a farewell may come before it
        received = await socket.receive()
        if received.type is not aiohttp.WSMsgType.TEXT:
            raise EOFError
        answer = msgspec.json.decode(received.data)
    for sent, result in zip(batch, answer["data"] if len(batch) > 1 else [answer], strict=True):
        sent.heard_on_socket(result)


def alone(sent: Sent) -> Json:
    """A request as a message of its own."""
    if sent.kind is Kind.CANCEL:
        return {"action": "order.cancel", "order_id": sent.order_id}
    key = {"idempotency_key": sent.key} if sent.key else {}
    return {"action": "order.place", "order": sent.body, **key}


def item(sent: Sent) -> Json:
    """A request as a part of a batch."""
    if sent.kind is Kind.CANCEL:
        return {"cancel": sent.order_id}
    return {"place": sent.body} | ({"idempotency_key": sent.key} if sent.key else {})


async def make_traders(kerb: KerbProcess, http: aiohttp.ClientSession, number: int) -> list[Trader]:
    """Registered users with cash, and with units of every symbol that they bought from the demo's market maker."""
    maker = await kerb.sign_in(http, MAKER.email, PASSWORD)
    prices = {symbol: f"{cents / 100:.2f}" for symbol, cents in REFERENCES.items()}
    prices[QUIET_SYMBOL] = QUIET_PRICE
    for symbol, price in prices.items():
        sale = await maker.place("SELL", str(number * UNITS), price, stock_symbol=symbol)
        assert sale.status == 201, sale
    traders = []
    for index in range(number):
        client = await kerb.register(http, f"load{index}@example.com", CASH)
        for symbol, price in prices.items():
            bought = await client.place("BUY", str(UNITS), price, stock_symbol=symbol)
            assert bought.data["status"] == "FILLED", bought
        traders.append(Trader(f"load{index}", client))
    return traders


def numbers() -> Iterator[int]:
    """Numbers that are used once."""
    return count(1)
