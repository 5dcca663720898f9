"""A queue of orders at one price whose order is known, and a probe that fills them one by one and sees who is first."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from tests.e2e.load import QUIET_PRICE, QUIET_SYMBOL, Kind, Load, Outcome, Requests, Sent, Trader, send
from tests.handlers.small_kerb import Client

STEPS = ("place", "place", "place", "decrease 0", "place", "increase 1", "place", "decrease 2", "place")
"""A decrease keeps its place in the queue, an increase goes to its end."""


class Ladder:
    """Sell orders of several traders in a symbol that nobody else trades; made one after the other."""

    def __init__(self, load: Load, make: Requests, traders: Sequence[Trader]) -> None:
        self.steps: list[Sent] = []
        self._load = load
        self._make = make
        self._traders = traders

    async def build(self) -> None:
        """Make the queue, while the load runs; stops half way when the server is gone."""
        placed: list[Sent] = []
        try:
            for step in STEPS:
                what, _, which = step.partition(" ")
                if what == "place":
                    sent = self._placement(self._traders[len(placed) % len(self._traders)])
                    placed.append(sent)
                else:
                    sent = self._replacement(placed[int(which)], "0.5" if what == "decrease" else "3")
                self.steps.append(sent)
                self._load.requests.append(sent)
                await send(sent)
                assert sent.outcome is not Outcome.REFUSED, sent
                if sent.outcome is not Outcome.DONE:  # the server is on its way down
                    return
        except (aiohttp.ClientError, OSError):
            return

    def queue(self) -> list[str]:
        """Ids of the orders, first to be filled first; every step must have been answered by now."""
        queue: list[str] = []
        for step in self.steps:
            if step.outcome is not Outcome.DONE:
                continue
            new_id = step.answer["order_id"]
            if step.kind is Kind.PLACE:
                queue.append(new_id)
            elif float(step.body["quantity"]) < 1:
                queue[queue.index(step.order_id)] = new_id
            else:
                queue.remove(step.order_id)
                queue.append(new_id)
        return queue

    async def probe(self, prober: Client) -> int:
        """Buy exactly the first order's rest, again and again: it must be filled, and nothing else. How many there were."""
        owners = {sent.answer["order_id"]: sent.trader for sent in self.steps if sent.answer}
        queue = self.queue()
        for order_id in queue:
            owner = owners[order_id].client
            rest = (await owner("GET", f"/orders/{order_id}")).data["remaining_quantity"]
            bought = await prober.place("BUY", str(rest), QUIET_PRICE, stock_symbol=QUIET_SYMBOL)
            assert bought.data["status"] == "FILLED", bought
            filled = (await owner("GET", f"/orders/{order_id}")).data
            assert filled["status"] == "FILLED", f"{order_id} was to be the first of {queue}: {filled}"
        depth = await prober("GET", f"/stocks/{QUIET_SYMBOL}/depth")
        assert depth.data["asks"] == [], depth
        return len(queue)

    def _placement(self, trader: Trader) -> Sent:
        body = {
            "stock_symbol": QUIET_SYMBOL,
            "side": "SELL",
            "order_type": "LIMIT",
            "quantity": "1",
            "price": QUIET_PRICE,
            "time_in_force": "GTC",
        }
        return self._make.identified(Sent(trader, Kind.PLACE, body, self._make.certain_key()))

    def _replacement(self, old: Sent, quantity: str) -> Sent:
        order_id = str(old.answer["order_id"])
        body = {"quantity": quantity}
        key = self._make.certain_key()
        return self._make.identified(Sent(old.trader, Kind.REPLACE, body, key, order_id))
