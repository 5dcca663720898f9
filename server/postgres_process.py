"""Finds, watches and signals the processes of a PostgreSQL server by its data folder, whoever started them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

POLL_S = 0.02


def is_running(pid: int) -> bool:
    """Whether the process exists and is more than a zombie that nobody has waited for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def works_in(pid: int, data: Path) -> bool:
    """Whether the process is a part of the server of `data`: each of them makes the data folder its working folder."""
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(data) and is_running(pid)
    except OSError:
        return False


def processes_in(data: Path) -> list[int]:
    """Pids of the postmaster and the backends of `data` (a resolved path) that this user may look at, in ascending order."""
    pids = sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if pid != os.getpid() and works_in(pid, data)]


def pid_in(lock_file: Path) -> int | None:
    """The pid in a lock file of PostgreSQL, whether or not it is still alive; None where there is no readable one."""
    try:
        return int(lock_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def send(pid: int, number: signal.Signals) -> None:
    """Signals the process if it is still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


async def wait_gone(pids: Iterable[int], timeout_s: float) -> bool:
    """True as soon as none of the processes runs any more, False after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    waiting = list(pids)
    while waiting := [pid for pid in waiting if is_running(pid)]:
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


def tail_of(log: Path) -> str:
    """The last lines of a log, for an error's text; empty when it cannot be read."""
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
    return ""
