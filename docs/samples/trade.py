"""A client in Python: signs up, pays in, places an order safely, cancels it, and looks at the portfolio.

    python docs/samples/trade.py [http://127.0.0.1:8080]

Needs aiohttp. Money is read as Decimal, never as float. Every POST has an idempotency key, so it may be repeated
after a lost answer: it has one effect.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from decimal import Decimal
from typing import Any

import aiohttp

RETRIES = 5


class Refused(Exception):
    """The server said no; `code` is stable and made for programs."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = str(error["code"])


class Kerb:
    """A signed-in user."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.base = f"{url}/api/v1"
        self.token = ""

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call, repeated with the same key while the server cannot be reached or says that it may be repeated."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        for attempt in range(RETRIES):
            try:
                async with self.http.request(
                    method, self.base + path, json=body, headers=headers
                ) as response:
                    answer = json.loads(await response.text(), parse_float=Decimal)
            except (aiohttp.ClientError, TimeoutError):
                if attempt == RETRIES - 1:
                    raise
                wait_s = 0.2 * 2**attempt
            else:
                if answer["success"]:
                    return answer["data"]
                if not answer["error"]["retryable"] or attempt == RETRIES - 1:
                    raise Refused(answer["error"])
                wait_s = float(response.headers.get("Retry-After", "1"))
            await asyncio.sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    async def sign_up(self, email: str, password: str) -> None:
        """Register and sign in."""
        await self.call(
            "POST", "/auth/register", {"email": email, "password": password, "full_name": "Sample User"}
        )
        grant = await self.call("POST", "/auth/login", {"email": email, "password": password})
        self.token = grant["access_token"]


async def main(url: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        kerb = Kerb(http, url)
        await kerb.sign_up(f"{uuid.uuid4()}@example.com", str(uuid.uuid4()))
        await kerb.call("POST", "/wallet/deposit", {"amount": "1000.00", "payment_method": "CARD"})
        quote = await kerb.call("GET", "/stocks/AAPL/quote")
        price = quote["price"] or quote["previous_close"]
        limit = (price * Decimal("0.99")).quantize(Decimal("0.01"))
        order = await kerb.call(
            "POST",
            "/orders",
            {
                "stock_symbol": "AAPL",
                "side": "BUY",
                "order_type": "LIMIT",
                "quantity": "0.5",
                "price": str(limit),
            },
        )
        print(order["order_id"], order["status"], "hold", order["hold"])
        cancelled = await kerb.call("DELETE", f"/orders/{order['order_id']}")
        print(cancelled["order_id"], cancelled["status"])
        try:
            await kerb.call(
                "POST",
                "/orders",
                {"stock_symbol": "AAPL", "side": "SELL", "order_type": "MARKET", "quantity": 1},
            )
        except Refused as refused:
            print("refused", refused.code)
        portfolio = await kerb.call("GET", "/portfolio")
        print("worth", portfolio["total_value"], "cash", portfolio["cash_balance"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
