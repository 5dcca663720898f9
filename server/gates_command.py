"""`run.py gates`: simulated gates of a car park, as clients of a running server like any real ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from config.settings import Mode
from server.command_line import config_option, fail, load, run
from server.exit_codes import ExitCode

if TYPE_CHECKING:
    import aiohttp

    from server.gate_simulator import GateAccess, Tally

REPORT_S: Final = 10.0
PREFIX: Final = "gat_"


@click.command()
@config_option
@click.option("--lot", required=True, help="The car park, as in lot_HARBOUR.")
@click.option("--gates", "count", type=click.IntRange(1, 2_000), default=4, help="How many gates to be (4).")
@click.option(
    "--rate", type=click.FloatRange(0.01, 10_000), default=1.0, help="Scans a second, all gates together (1)."
)
@click.option("--seconds", type=click.FloatRange(0.1), help="For so long; without it until Ctrl-C.")
@click.option("--url", default="http://127.0.0.1:8080", help="The server (http://127.0.0.1:8080).")
@click.option(
    "--gate-port",
    type=click.IntRange(1, 65_535),
    help="The port of its gates, instead of the configured one.",
)
@click.option(
    "--email", default="operator@kerb.example", help="An operator of car parks; the demo's without it."
)
@click.option("--password", help="The operator's password; the demo's without it.")
def gates(
    file: Path | None,
    lot: str,
    count: int,
    rate: float,
    seconds: float | None,
    url: str,
    gate_port: int | None,
    email: str,
    password: str | None,
) -> None:
    """Be gates of a car park, with cars that come and go by the hour.

    The operator makes as many gates named SIM as are missing and gives each a new secret. A gate scans the tags of its
    allow-list: those that it would open for.
    """
    from server.demo import PASSWORD

    settings = load(Mode.DEMO.value, file).settings
    address = (url.rsplit("://", maxsplit=1)[-1].rsplit(":", 1)[0], gate_port or settings.gate.port)

    async def work() -> None:
        access = await gates_of(url, email, password or PASSWORD, lot.removeprefix("lot_"), count)
        click.echo(await simulate(address, access, rate, seconds))

    try:
        run(settings, work)
    except OperatorRefused as error:
        fail(ExitCode.CONFIG, [str(error)])


class OperatorRefused(Exception):
    """The server does not let the operator do what the simulation needs."""


async def simulate(
    address: tuple[str, int], access: list[GateAccess], rate: float, seconds: float | None
) -> Tally:
    """Let cars come and go, and say now and then how it goes."""
    from server.gate_simulator import GateSimulator

    simulator = GateSimulator(address, access)

    async def tell() -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            click.echo(simulator.tally)

    telling = asyncio.get_running_loop().create_task(tell())
    try:
        await simulator.run(rate, seconds)
    finally:
        telling.cancel()
    return simulator.tally


async def gates_of(url: str, email: str, password: str, lot: str, count: int) -> list[GateAccess]:
    """So many gates of a lot, entries and exits in turns, each with a new secret. Raises OperatorRefused."""
    import aiohttp

    from server.gate_simulator import GateAccess

    async with aiohttp.ClientSession() as http:
        base = f"{url}/api/v1"
        signed_in = await _post(http, f"{base}/auth/login", {"email": email, "password": password}, "")
        token = signed_in["access_token"]
        access = []
        for number in range(count):
            gate_id = f"{PREFIX}{lot}-SIM{number + 1}"
            gate = {"gate_id": gate_id, "lot_id": f"lot_{lot}", "name": f"Simulated {number + 1}"}
            gate["direction"] = "EXIT" if number % 2 else "ENTRY"
            await _post(http, f"{base}/admin/parking/gates", gate, token)
            given = await _post(http, f"{base}/admin/parking/gates/{gate_id}/secret", {}, token)
            access.append(GateAccess(gate_id, bytes.fromhex(given["secret"])))
        return access


async def _post(http: aiohttp.ClientSession, url: str, body: dict[str, str], token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.post(url, json=body, headers=headers) as response:
        answer = await response.json()
    if not answer.get("success"):
        raise OperatorRefused(f"{url}: {answer['error']['message']}")
    return answer["data"]
