"""A client in Python that follows quotes in the binary form: a quarter of the bytes, exact whole numbers.

    curl -O http://127.0.0.1:8080/kerb.proto
    python -m grpc_tools.protoc --proto_path=. --python_out=. kerb.proto
    PYTHONPATH=. python docs/samples/quotes_proto.py [http://127.0.0.1:8080] SYMBOL,SYMBOL… [QUOTES]

Needs aiohttp and protobuf, and grpcio-tools for the second line only. Ends after QUOTES quotes.
"""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from importlib import import_module
from typing import Any

import aiohttp

Data: Any = import_module("kerb_pb2").Data  # protoc made it of the schema

SUBPROTOCOL = "kerb.v1.proto"


def price(quote: Any, member: str) -> Decimal | None:
    """A price; None while there is none yet."""
    return Decimal(getattr(quote, member)) / 10_000 if quote.HasField(member) else None


async def main(url: str, symbols: list[str], quotes: int) -> None:
    seen = size = 0
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{url}/api/v1/ws", protocols=[SUBPROTOCOL], heartbeat=30) as socket,
    ):
        assert socket.protocol == SUBPROTOCOL, "the server does not speak it"
        await socket.send_json({"action": "subscribe", "channels": ["quotes"], "symbols": symbols, "id": 1})
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:  # answers and errors are JSON
                print("answered:", message.json()["type"], flush=True)
                continue
            size += len(message.data)
            for quote in Data.FromString(message.data).quotes:
                seen += 1
                print(quote.symbol, price(quote, "bid_e4"), price(quote, "ask_e4"), flush=True)
            if seen >= quotes:
                print(f"{seen} quotes, {size / seen:.0f} bytes each")
                return


if __name__ == "__main__":
    arguments = sys.argv[1:]
    address = arguments.pop(0) if arguments and arguments[0].startswith("http") else "http://127.0.0.1:8080"
    asyncio.run(
        main(address, arguments[0].split(","), int(arguments[1]) if len(arguments) > 1 else sys.maxsize)
    )
