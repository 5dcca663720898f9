"""A client in Python that follows its own orders over the WebSocket and never misses an event.

    python docs/samples/follow.py [http://127.0.0.1:8080] EMAIL PASSWORD [EVENTS]

Needs aiohttp. When the connection is lost it comes back with `resume_from` = the last sequence it knows; when the server
does not remember that far, it reads the open orders once and goes on from their `as_of_seq`. Ends after EVENTS events.
"""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from typing import Any

import aiohttp

BACKOFF_MAX_S = 5.0


class Follower:
    """Follows the `orders` channel. `seq` is the sequence up to which everything is known."""

    def __init__(self, http: aiohttp.ClientSession, url: str, email: str, password: str) -> None:
        self.http = http
        self.base = f"{url}/api/v1"
        self.credentials = {"email": email, "password": password}
        self.token = ""
        self.seq: int | None = None
        self.events = 0

    async def run(self, events: int) -> None:
        """Connect, and again after every loss, until so many events were told."""
        backoff_s = 0.1
        while True:
            try:
                await self.sign_in()
                async with self.http.ws_connect(f"{self.base}/ws", heartbeat=30) as socket:
                    backoff_s = 0.1
                    if await self.follow(socket, events):
                        return
            except (aiohttp.ClientError, TimeoutError) as error:
                print("lost:", type(error).__name__, file=sys.stderr)
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)

    async def sign_in(self) -> None:
        async with self.http.post(f"{self.base}/auth/login", json=self.credentials) as response:
            response.raise_for_status()
            self.token = (await response.json())["data"]["access_token"]

    async def follow(self, socket: aiohttp.ClientWebSocketResponse, events: int) -> bool:
        """Tell events until the connection ends (False) or enough have come (True)."""
        await socket.send_json({"action": "auth", "token": self.token, "id": 1})
        await self.subscribe(socket)
        async for message in socket:
            data = json.loads(message.data, parse_float=Decimal)
            if data.get("type") == "subscribed" and self.seq is None:
                self.seq = data["channels"]["orders"]["seq"]
            elif data.get("type") == "resync_required":
                await self.resync()
                await self.subscribe(socket)
            elif data.get("channel") == "orders":
                self.tell(data)
                if self.events >= events:
                    return True
        return False

    async def subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        request: dict[str, Any] = {"action": "subscribe", "channels": ["orders"], "id": 2}
        if self.seq is not None:
            request["resume_from"] = self.seq
        await socket.send_json(request)

    async def resync(self) -> None:
        """What stands now, from one sequence: events after it follow."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.get(f"{self.base}/orders?status=PENDING,PARTIAL", headers=headers) as response:
            answer = json.loads(await response.text(), parse_float=Decimal)
        self.seq = answer["meta"]["as_of_seq"]
        print("open orders:", [order["order_id"] for order in answer["data"]])

    def tell(self, event: dict[str, Any]) -> None:
        """`prev_seq` proves that nothing is missing. Events of one command share a `seq`; `more` says another follows."""
        assert self.seq is None or event["prev_seq"] <= self.seq, "an event is missing"
        if not event.get("more"):
            self.seq = event["seq"]
        self.events += 1
        order = event["data"]
        print(order["order_id"], order["status"], order["filled_quantity"], flush=True)


async def main(url: str, email: str, password: str, events: int) -> None:
    async with aiohttp.ClientSession() as http:
        await Follower(http, url, email, password).run(events)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    address = arguments.pop(0) if arguments and arguments[0].startswith("http") else "http://127.0.0.1:8080"
    asyncio.run(
        main(address, arguments[0], arguments[1], int(arguments[2]) if len(arguments) > 2 else sys.maxsize)
    )
