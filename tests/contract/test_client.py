"""A typed Python client can be generated from the OpenAPI document, and it trades."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Final

import aiohttp

from server.demo import PASSWORD, TRADERS
from tests.kerb_process import KerbProcess

USE: Final = Path(__file__).with_name("use_client.txt")
GENERATOR: Final = "package_name_override: kerb_client\nproject_name_override: kerb_client\npost_hooks: []\n"


def run(folder: Path, *command: str) -> tuple[int, str]:
    """A command's exit code and all it printed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


async def test_a_client_that_is_generated_is_typed_and_trades(
    kerb: KerbProcess, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    (tmp_path / "generator.yml").write_text(GENERATOR)
    async with http.get(f"{kerb.url}/openapi.json") as served:
        (tmp_path / "openapi.json").write_bytes(await served.read())
    code, output = run(
        tmp_path, str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--meta", "none",
        "--path", "openapi.json", "--output-path", "kerb_client", "--config", "generator.yml",
    )  # fmt: skip
    assert code == 0, output
    # a picture is the one kind of answer that it cannot read
    assert [line for line in output.splitlines() if "WARNING" in line or "ERROR" in line] == [
        "WARNING parsing GET /docs/icon.svg within system."
    ]
    good = USE.read_text(encoding="utf-8")
    (tmp_path / "use_client.py").write_text(good, encoding="utf-8")
    (tmp_path / "misuse_client.py").write_text(
        good.replace("data.order_id,", "data.order_number,"), encoding="utf-8"
    )
    mypy = (sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=")
    code, output = run(tmp_path, *mypy, "use_client.py", "misuse_client.py")
    assert code == 1, output
    assert output.splitlines()[:-1] == [
        'misuse_client.py:46: error: "Order" has no attribute "order_number"  [attr-defined]'
    ]
    used = await asyncio.to_thread(
        run, tmp_path, sys.executable, "use_client.py", kerb.url, TRADERS[0].email, PASSWORD
    )
    assert used[0] == 0, used[1]
    newest, cancelled = used[1].split()
    assert newest == cancelled
