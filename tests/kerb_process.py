"""The harness: a real Kerb in a process of its own, as an operator runs it, and what can be done to it from outside."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from server.postgres_process import processes_in
from tests.handlers.small_kerb import PASSWORD, Client, sign_in

ROOT: Final = Path(__file__).resolve().parents[1]
READY_TIMEOUT_S: Final = 60.0
_URL: Final = re.compile(rb"(http://[\d.]+:\d+)")


class KerbProcess:
    """`run.py serve --mode demo` on a folder, without a market feed unless `environ` says so; its log is `log`.

    `program` is what is run instead, with the mode in it. It can be started, killed and started again; `url` is new each time.
    """

    def __init__(self, data_dir: Path, **environ: str) -> None:
        self.data_dir = data_dir
        self.program: tuple[str, ...] = ("run.py", "serve", "--mode", "{mode}")
        self.log = data_dir.with_name(data_dir.name + ".log")
        self.url = ""
        self.process: Process | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KERB_")}
        self._environ = kept | {
            "KERB_DATA_DIR": str(data_dir),
            "KERB_HTTP__PORT": "0",
            "KERB_GATE__PORT": "0",
            "KERB_MARKET__FEED": "none",
            "KERB_AUTH__BCRYPT_ROUNDS": "4",
            "KERB_OVERLOAD__TURN_MS": "1000",  # a machine that is busy with other tests is no overload
            "KERB_OVERLOAD__LAG_MS": "1000",
            "KERB_OVERLOAD__DISK_WAIT_MS": "60000",
            **environ,
        }

    def __repr__(self) -> str:
        return f"<KerbProcess {self.data_dir} {self.url or 'stopped'}>"

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def rss_bytes(self) -> int:
        """The server's resident memory."""
        resident_pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(resident_pages) * os.sysconf("SC_PAGE_SIZE")

    async def start(self, *wrapper: str, mode: str = "demo") -> None:
        """Start and wait until it serves. `wrapper` is a command to run it under. Raises AssertionError with its log."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *wrapper, sys.executable, *(part.replace("{mode}", mode) for part in self.program),
                cwd=ROOT, env=self._environ, stdout=PIPE, stderr=log,
            )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(READY_TIMEOUT_S):
            while line := await self.process.stdout.readline():
                if found := _URL.search(line):
                    self.url = found[1].decode()
                    return
        process = self.process
        await process.wait()
        raise AssertionError(f"exit code {process.returncode}\n{self.log.read_text()[-4000:]}")

    def listen_on(self, port: str) -> None:
        """Take this port at the next start, so that clients find the server again."""
        self._environ["KERB_HTTP__PORT"] = port

    async def kill(self) -> None:
        """kill -9; the embedded PostgreSQL lives on as an orphan."""
        await self.end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, and the exit code of the drained server."""
        return await self.end(signal.SIGTERM)

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit code, negative for a signal. 0 when it does not run."""
        if self.process is None:
            return 0
        process, self.process, self.url = self.process, None, ""
        if process.returncode is None:
            process.send_signal(number)
        await process.communicate()
        assert process.returncode is not None
        return process.returncode

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Another command of run.py on the same folder: its exit code, and all it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "run.py", *arguments, "--mode", "demo",
            cwd=ROOT, env=self._environ, stdout=PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def verify(self) -> None:
        """`run.py verify` finds nothing wrong, in the books and in the journal, which it has from the first record on."""
        code, output = await self.run("verify")
        compared, *rest = output.splitlines()
        assert (code, rest) == (0, ["the books are right"]), output
        assert compared.startswith("rows of records 1 to "), output

    def anonymous(self, http: aiohttp.ClientSession) -> Client:
        """A client that is not signed in."""
        return Client(http, self.url)

    async def sign_in(self, http: aiohttp.ClientSession, email: str, password: str) -> Client:
        """A signed-in client."""
        client = self.anonymous(http)
        client.password = password
        await sign_in(client, email)
        return client

    async def register(self, http: aiohttp.ClientSession, email: str, cash: str | None = None) -> Client:
        """A new user, signed in, with cash."""
        client = self.anonymous(http)
        body = {"email": email, "password": PASSWORD, "full_name": "New User"}
        registered = await client("POST", "/auth/register", body)
        assert registered.status == 201, registered
        client.user_id = registered.data["user_id"]
        client.account_id = int(registered.data["account_id"].removeprefix("acc_"))
        await sign_in(client, email)
        if cash is not None:
            await client.deposit(cash)
        return client


@asynccontextmanager
async def running_kerb(
    data_dir: Path, program: tuple[str, ...] = (), /, **environ: str
) -> AsyncIterator[KerbProcess]:
    """A started server; stopped at the end however the block ends, with an orphaned PostgreSQL of its folder."""
    kerb = KerbProcess(data_dir, **environ)
    kerb.program = program or kerb.program
    try:
        await kerb.start()
        yield kerb
    finally:
        await kerb.stop()
        for pid in processes_in((data_dir / "postgres" / "data").resolve()):
            os.kill(pid, signal.SIGKILL)
