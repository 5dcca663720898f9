"""strace from outside: the journal's thread of a running server, or the main thread of one that starts; one call is made to fail."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Final

from server.thread_priority import NICE

CALLS: Final = ("pwrite64", "fdatasync", "fallocate", "rename", "fsync", "unlink")
"""Every system call that the journal's durability depends on (server/disk.py)."""

KILL: Final = "kill"
SHORT: Final = "short"
"""One byte is said to have been written."""

_ATTACH_TIMEOUT_S: Final = 10.0
_WHAT: Final = {KILL: "signal=SIGKILL", SHORT: "retval=1"}
_CALL: Final = re.compile(r"^(\w+)\(\d+<([^>]*)>(?:.*, (\d+), (\d+))?.*\) += (-?\d+)", re.MULTILINE)


def check_strace() -> None:
    """Raises RuntimeError where calls cannot be made to fail: then nothing was tried."""
    if shutil.which("strace") is None or os.geteuid() != 0:
        raise RuntimeError("not tried: it needs root and strace")


def injection(call: str, error: str, nth: int) -> str:
    """What makes the nth call (from 1) of the traced thread fail: an errno's name, `SHORT`, or `KILL` at its entry."""
    return f"inject={call}:{_WHAT.get(error, f'error={error}')}:when={nth}"


def options(log: Path, inject: str) -> tuple[str, ...]:
    """strace with its log: every call with the path that its descriptor has at that moment."""
    traced = ("-e", f"trace={','.join(CALLS)}", *(("-e", inject) if inject else ()))
    return ("strace", "-y", "-s", "0", "-o", str(log), *traced)


def journal_thread(pid: int) -> int:
    """The thread that writes the journal: the one that has made itself preferred."""
    found = []
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
        if int(fields[16]) == NICE:
            found.append(int(stat.parent.name))
    assert len(found) == 1, f"threads {found} of {pid} have priority {NICE}"
    return found[0]


async def attach(pid: int, log: Path, inject: str) -> Process:
    """Trace the journal's thread from now on; the tracer ends with it."""
    process = await asyncio.create_subprocess_exec(
        *options(log, inject), "-p", str(journal_thread(pid)), stdout=DEVNULL, stderr=PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(_ATTACH_TIMEOUT_S):
        line = await process.stderr.readline()
    assert b"attached" in line, line
    return process


async def ended(tracer: Process) -> None:
    """Wait for a tracer, which ends with what it traces; one whose server goes on all the same is ended."""
    try:
        async with asyncio.timeout(_ATTACH_TIMEOUT_S):
            await tracer.wait()
    except TimeoutError:
        tracer.terminate()
        await tracer.wait()


def calls_in(log: Path) -> dict[str, int]:
    """How often each call stands in a log."""
    text = log.read_text(encoding="utf-8")
    return {call: len(re.findall(rf"^{call}\(", text, re.MULTILINE)) for call in CALLS}


def was_injected(log: Path) -> bool:
    """Whether the call that was to fail was reached."""
    text = log.read_text(encoding="utf-8")
    return "(INJECTED)" in text or "+++ killed by SIGKILL +++" in text


def synced_end(log: Path, path: Path) -> int | None:
    """Up to which byte a file was synced: by a successful fdatasync after a write, or before it was traced.

    None when nothing was written to it under the tracer's eyes.
    """
    written = synced = None
    for call, name, size, offset, result in _CALL.findall(log.read_text(encoding="utf-8")):
        if Path(name) != path:
            continue
        if call == "pwrite64":
            synced = int(offset) if synced is None else synced
            written = int(offset) + int(size) if result == size else written
        elif call == "fdatasync" and result == "0" and synced is not None and written is not None:
            synced = max(synced, written)
    return synced
