"""What must hold after a restart, asked through the API: nothing acknowledged is lost, nothing happened twice or by half."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from tests.e2e.load import OPEN_STATUSES, Json, Kind, Outcome, Sent, Trader, connect, send, send_batch

LASTING: Final = (
    *("order_id", "stock_symbol", "side", "order_type", "time_in_force", "quantity", "price"),
    *("client_order_id", "created_at", "replaces"),
)
"""What an order is, whatever becomes of it."""

PAGE: Final = 500
HTTP_REPEATS_MAX: Final = 60
READS_MAX: Final = 40
BATCH: Final = 100


@dataclass
class Tally:
    """What was looked at."""

    acknowledged: int = 0
    refused: int = 0
    whole: int = 0
    absent: int = 0
    repeated: int = 0
    not_taken: int = 0

    def add(self, other: Tally) -> None:
        """Sum them up."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Account:
    """One trader's books as the API shows them, and how far they had been looked at before."""

    trader: Trader
    last_order: int = 0
    last_line: str = ""
    cash_e4: int = 0
    orders: dict[str, Json] = field(default_factory=dict)

    async def begin(self) -> None:
        """Everything so far is taken for granted."""
        await self.read()
        await self.check_money([])
        self.settled()

    async def read(self) -> None:
        """The orders made since `settled`, from the history."""
        self.orders = {}
        cursor = ""
        while True:
            path = f"/orders/history?limit={PAGE}" + (f"&cursor={cursor}" if cursor else "")
            reply = await self.trader.client("GET", path)
            assert reply.status == 200, reply
            for order in reply.data:
                if number(order["order_id"]) <= self.last_order:
                    return
                assert order["order_id"] not in self.orders, f"{order} stands there twice"
                self.orders[order["order_id"]] = order
            cursor = reply.meta.get("next_cursor", "")
            if not cursor:
                return

    def settled(self) -> None:
        """What has been read has been checked."""
        self.last_order = max(map(number, self.orders), default=self.last_order)

    def of_client_order_id(self, client_order_id: str) -> Json | None:
        """The one order with it."""
        found = [order for order in self.orders.values() if order["client_order_id"] == client_order_id]
        assert len(found) <= 1, f"two orders with one client order id: {found}"
        return found[0] if found else None

    async def check_money(self, deposits: Sequence[Sent]) -> None:
        """Wallet = transactions, held = holds of the open orders, and each deposit is there once."""
        client = self.trader.client
        lines: list[Json] = []
        cursor = ""
        while not any(line["transaction_id"] == self.last_line for line in lines):
            path = f"/wallet/transactions?limit={PAGE}" + (f"&cursor={cursor}" if cursor else "")
            reply = await client("GET", path)
            lines += reply.data
            cursor = reply.meta.get("next_cursor", "")
            if not cursor:
                break
        known = [place for place, line in enumerate(lines) if line["transaction_id"] == self.last_line]
        new = lines[: known[0]] if known else lines
        for line in reversed(new):
            self.cash_e4 += e4(line["amount"])
            assert e4(line["balance_after"]) == self.cash_e4, line
        self.last_line = new[0]["transaction_id"] if new else self.last_line
        balance = (await client("GET", "/wallet/balance")).data
        open_orders: list[Json] = []
        total = 1
        while len(open_orders) < total:
            page = len(open_orders) // PAGE + 1
            reply = await client("GET", f"/orders?status=PENDING,PARTIAL&limit={PAGE}&page={page}")
            open_orders += reply.data
            total = reply.meta["total"]
        held_e4 = sum(e4(order["hold"]) for order in open_orders if order["side"] == "BUY")
        assert (e4(balance["balance"]), e4(balance["held"])) == (self.cash_e4, held_e4), balance
        assert e4(balance["available"]) == self.cash_e4 - held_e4 >= 0, balance
        paid_in = sorted(e4(line["amount"]) for line in new if line["type"] == "DEPOSIT")
        if deposits:
            done = sorted(
                e4(sent.body["amount"]) for sent in deposits if sent.outcome is Outcome.DONE and not sent.hit
            )
            assert paid_in == done, (paid_in, done)


class Aftermath:
    """The checks of one restart. `accounts` go on from one to the next."""

    def __init__(self, http: aiohttp.ClientSession, accounts: Sequence[Account]) -> None:
        self._http = http
        self._accounts = accounts

    async def check(self, requests: Sequence[Sent]) -> Tally:
        """Raises AssertionError with what is wrong. Requests that were in doubt are settled afterwards."""
        tally = Tally()
        for account in self._accounts:
            tally.add(await self._check_account(account, [r for r in requests if r.trader is account.trader]))
        return tally

    async def _check_account(self, account: Account, requests: Sequence[Sent]) -> Tally:
        await account.read()
        tally = Tally(not_taken=sum(sent.outcome is Outcome.NOT_TAKEN for sent in requests))
        doubtful = [sent for sent in requests if sent.outcome is Outcome.IN_DOUBT]
        asked = {(sent.kind, sent.order_id) for sent in requests if sent.order_id}
        _check_explained(account, requests)
        for sent in requests:
            if sent.outcome is Outcome.DONE:
                tally.acknowledged += 1
                _check_done(account, sent, asked)
            elif sent.outcome is Outcome.REFUSED:
                tally.refused += 1
        await _check_reads(account, [sent for sent in requests if sent.outcome is Outcome.DONE])
        before = dict(account.orders)
        tally.repeated = await self._repeat_known(account.trader, requests)
        for sent in doubtful:
            if sent.kind in (Kind.PLACE, Kind.REPLACE):
                was_there = account.of_client_order_id(sent.client_order_id) is not None
                tally.whole += was_there
                tally.absent += not was_there
            await self._settle(account, sent)
        await account.read()
        new = {order["client_order_id"] for key, order in account.orders.items() if key not in before}
        assert new <= {sent.client_order_id for sent in doubtful}, f"a repetition made orders: {new}"
        for sent in doubtful:
            if sent.outcome is Outcome.DONE:
                _check_done(account, sent, asked)
        await account.check_money([sent for sent in requests if sent.kind is Kind.DEPOSIT])
        account.settled()
        return tally

    async def _settle(self, account: Account, sent: Sent) -> None:
        """Repeat what was in doubt: one effect, whether it had happened or not."""
        was_there = account.of_client_order_id(sent.client_order_id) if sent.client_order_id else None
        if not sent.key and sent.kind is not Kind.CANCEL:
            if sent.kind is Kind.DEPOSIT:
                sent.outcome = await self._found_deposit(account, sent)
            elif was_there is not None:
                sent.outcome, sent.answer = Outcome.DONE, was_there
            else:
                sent.outcome = Outcome.REFUSED
            return
        again = await send(sent.again())
        assert again.outcome is not Outcome.NOT_TAKEN, again
        if was_there is not None:
            assert again.hit, f"{sent} had happened, and its key is not known: {again}"
            assert again.answer["order_id"] == was_there["order_id"], (again, was_there)
        if sent.kind is Kind.CANCEL:
            assert again.outcome is Outcome.DONE or again.code == "ORDER_NOT_OPEN", again
        sent.outcome, sent.answer, sent.code = again.outcome, again.answer, again.code

    async def _found_deposit(self, account: Account, sent: Sent) -> Outcome:
        lines = (await account.trader.client("GET", f"/wallet/transactions?limit={PAGE}")).data
        amount_e4 = e4(sent.body["amount"])
        there = [line for line in lines if line["type"] == "DEPOSIT" and e4(line["amount"]) == amount_e4]
        assert len(there) <= 1, there
        return Outcome.DONE if there else Outcome.REFUSED

    async def _repeat_known(self, trader: Trader, requests: Sequence[Sent]) -> int:
        """The same keys again: orders over a WebSocket, some of everything over HTTP. The first answers, as hits."""
        keyed = [r for r in requests if r.key and r.outcome in (Outcome.DONE, Outcome.REFUSED)]
        placed = [sent for sent in keyed if sent.kind is Kind.PLACE]
        over_http = [sent for sent in keyed if sent.kind is not Kind.PLACE][-HTTP_REPEATS_MAX:]
        over_http += placed[:: max(1, len(placed) // 10)]
        answers = await asyncio.gather(*(send(sent.again()) for sent in over_http))
        async with connect(self._http, trader) as socket:
            for start in range(0, len(placed), BATCH):
                batch = [sent.again() for sent in placed[start : start + BATCH]]
                await send_batch(socket, [*batch, batch[0].again()])
                answers += batch
        for first, second in zip([*over_http, *placed], answers, strict=True):
            same = (first.outcome, first.answer, first.code) == (second.outcome, second.answer, second.code)
            hit = second.hit or second.outcome is Outcome.REFUSED  # a socket does not mark repeated refusals
            assert (same, hit) == (True, True), f"{first}\nwas answered differently later:\n{second}"
        return len(answers)


def _check_explained(account: Account, requests: Iterable[Sent]) -> None:
    """Every order that is there was sent, and not refused."""
    acknowledged = {sent.answer.get("order_id") for sent in requests if sent.outcome is Outcome.DONE}
    doubtful = {sent.client_order_id for sent in requests if sent.outcome is Outcome.IN_DOUBT}
    for order_id, order in account.orders.items():
        known = order_id in acknowledged or order["client_order_id"] in doubtful
        assert known, f"nobody sent, or was refused, {order}"


def _check_done(account: Account, sent: Sent, asked: Set[tuple[Kind, str]]) -> None:
    """An acknowledged order is there, and is what it was or what may have become of it."""
    if sent.kind is Kind.DEPOSIT:
        return
    acknowledged = sent.answer
    order = account.orders.get(acknowledged["order_id"])
    if order is None:
        assert number(acknowledged["order_id"]) <= account.last_order, f"lost: {sent}"
        return
    for name in LASTING:
        assert order[name] == acknowledged[name], f"{name} of {order}, acknowledged {acknowledged}"
    assert order["filled_quantity"] >= acknowledged["filled_quantity"], (order, acknowledged)
    if acknowledged["status"] not in OPEN_STATUSES:
        assert order == acknowledged, (order, acknowledged)
    if sent.kind is Kind.CANCEL:
        assert order["status"] == "CANCELLED", order
    if sent.kind is Kind.REPLACE:
        assert order["replaces"] == sent.order_id, order
        old = account.orders.get(sent.order_id)
        assert old is None or (old["status"], old["replaced_by"]) == ("REPLACED", order["order_id"]), old
    if order["status"] == "FILLED":
        assert order["filled_quantity"] == order["quantity"], order
    if order["status"] == "REPLACED" or order["reason"] == "USER":
        kind = Kind.REPLACE if order["status"] == "REPLACED" else Kind.CANCEL
        assert (kind, order["order_id"]) in asked, f"nobody asked for this: {order}"


async def _check_reads(account: Account, done: Sequence[Sent]) -> None:
    """`GET /orders/{id}` says the same as the history; a cancelled order of an earlier time is cancelled."""
    expected = {
        sent.answer["order_id"]: account.orders.get(sent.answer["order_id"], sent.answer)
        for sent in done
        if sent.kind is not Kind.DEPOSIT
    }
    some = list(expected)[:: max(1, len(expected) // READS_MAX)]
    replies = await asyncio.gather(*(account.trader.client("GET", f"/orders/{each}") for each in some))
    for order_id, reply in zip(some, replies, strict=True):
        assert reply.data == expected[order_id], (reply, expected[order_id])


def number(order_id: str) -> int:
    """The number in an order's id."""
    return int(order_id.removeprefix("ord_"))


def e4(amount: float | str) -> int:
    """An amount of JSON in ten-thousandths."""
    return round(float(amount) * 10_000)
