"""A disk that is full or fails under the real process: no acknowledgement after that, exit code 74, a clean restart."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
from asyncio.subprocess import DEVNULL
from pathlib import Path
from typing import Final

from server.data_folder import DataFolder
from tests.kerb_process import KerbProcess
from tests.torture.job import Job
from tests.torture.kill import Report, torture

FAULT_TIMEOUT_S: Final = 60
FILE_BYTES_MAX: Final = 600_000


def nothing() -> None:
    """There is nothing to repair."""


async def limit_file_size(kerb: KerbProcess) -> int:
    """The kernel takes no byte beyond some place in a file: EFBIG, or a short write. Needs no privilege."""
    resource.prlimit(kerb.pid, resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    return await exit_code(kerb)


async def file_size_limit(seed: int) -> Report:
    """A file may not grow."""
    async with torture(seed) as rounds:
        return await rounds.round_of("file size limit", limit_file_size, nothing)


async def full_disk(seed: int) -> Report:
    """The journal lies on a small tmpfs and fills it: ENOSPC. Needs the right to mount."""
    disk = SmallDisk()
    async with torture(seed, disk.mount) as rounds:
        try:
            return await rounds.round_of("full disk", exit_code, disk.make_room)
        finally:
            disk.unmount()


async def failing_sync(seed: int) -> Report:
    """From some moment on every fdatasync of the server answers EIO. Needs strace, and the right to trace."""

    async def fault(kerb: KerbProcess) -> int:
        await asyncio.sleep(0.4)
        inject = "inject=fdatasync:error=EIO"
        tracer = await asyncio.create_subprocess_exec(
            *("strace", "-f", "-p", str(kerb.pid), "-e", "trace=fdatasync", "-e", inject),
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        try:
            return await exit_code(kerb)
        finally:
            await tracer.wait()

    async with torture(seed) as rounds:
        return await rounds.round_of("failing fdatasync", fault, nothing)


async def exit_code(kerb: KerbProcess) -> int:
    """Wait until the server has ended by itself."""
    process = kerb.process
    assert process is not None
    async with asyncio.timeout(FAULT_TIMEOUT_S):
        await process.communicate()
    kerb.process = None
    assert process.returncode is not None
    return process.returncode


class SmallDisk:
    """A tmpfs under the journal's folder."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def mount(self, data_dir: Path) -> None:
        """Room for a few segments."""
        self._folder = data_dir / DataFolder.JOURNAL_NAME
        self._folder.mkdir(mode=0o700, parents=True)
        data_dir.chmod(0o700)
        _mount("-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", str(self._folder))

    def make_room(self) -> None:
        """Room for many."""
        _mount("-o", "remount,size=64m", str(self._folder))

    def unmount(self) -> None:
        """Give it back, while the server may still run on it."""
        subprocess.run(["umount", "--lazy", str(self._folder)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


async def disk(job: Job) -> None:
    """Disks that fail in three ways. Fails where the machine does not let us make one: it was not tried."""
    faults = (
        ("", file_size_limit),
        ("mount", full_disk),
        ("strace", failing_sync),
    )
    for number in job.todo():
        tool, fault = faults[number % len(faults)]
        with job.round(number) as one:
            if tool and (os.geteuid() != 0 or shutil.which(tool) is None):
                raise RuntimeError(f"{fault.__name__} was not tried: it needs root and {tool}")
            report = await fault(number)
            one.text, one.seen = str(report), report.seen
