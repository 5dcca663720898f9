"""The sample clients of docs/samples do what they say, against the real server."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from decimal import Decimal
from pathlib import Path
from typing import Final

import aiohttp

from server.demo import PASSWORD, TRADERS
from tests.kerb_process import KerbProcess

SAMPLES: Final = Path(__file__).resolve().parents[2] / "docs/samples"


async def run(*command: str, **environ: str) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=PIPE, env={**os.environ, **environ}
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode().splitlines()


async def test_the_python_client_trades(kerb: KerbProcess) -> None:
    placed, cancelled, refused, worth = await run(sys.executable, str(SAMPLES / "trade.py"), kerb.url)
    order_id = placed.split()[0]
    assert placed.split()[:3] == [order_id, "PENDING", "hold"]
    assert cancelled == f"{order_id} CANCELLED"
    assert refused == "refused INSUFFICIENT_SHARES"
    assert [Decimal(text) for text in worth.split()[1::2]] == [1000, 1000]


async def test_the_curl_client_trades(kerb: KerbProcess) -> None:
    placed, status, balance = await run("sh", str(SAMPLES / "trade.sh"), kerb.url)
    assert placed.startswith("placed ord_")
    assert status == "CANCELLED"
    assert '"held":0.00' in balance


async def test_the_binary_client_reads_quotes(kerb: KerbProcess) -> None:
    generated = str(SAMPLES.parents[1] / "server")  # a test holds what is there to the published schema
    sample = str(SAMPLES / "quotes_proto.py")
    answered, *quotes, summary = await run(
        sys.executable, sample, kerb.url, "AAPL,TSLA", "2", PYTHONPATH=generated
    )
    assert answered == "answered: subscribed"
    assert [quote.split()[0] for quote in quotes] == ["AAPL", "TSLA"]  # the snapshot; nobody trades here
    assert summary.startswith("2 quotes, ")


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def test_the_python_follower_misses_nothing_while_the_server_is_killed(
    kerb: KerbProcess, http: aiohttp.ClientSession
) -> None:
    email = TRADERS[1].email
    user = await kerb.sign_in(http, email, PASSWORD)
    port = kerb.url.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SAMPLES / "follow.py"), kerb.url, email, PASSWORD, "5"), stdout=PIPE
    )
    orders = []
    while True:  # until it listens: what was placed before is not told
        orders.append((await user.place("BUY", "1", "200.00")).data["order_id"])
        try:
            first = await asyncio.wait_for(line(process), 0.5)
        except TimeoutError:
            continue
        break
    assert first.split()[1] == "PENDING"
    told = [first.split()[0]]
    while told[-1] != orders[-1]:
        told.append((await line(process)).split()[0])
    await kerb.kill()
    kerb.listen_on(port)
    await kerb.start()
    user.base = kerb.url
    placed = [await user.place("BUY", "1", "199.00") for _ in range(5 - len(told))]
    expected = [reply.data["order_id"] for reply in placed]
    rest = [(await line(process)).split()[0] for _ in expected]
    assert rest == expected
    assert await process.wait() == 0
