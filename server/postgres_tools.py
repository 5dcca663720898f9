"""Runs pg_dump, pg_restore and psql of the embedded PostgreSQL's installation, against whichever server is used."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from server.backup_manifest import BackupError
from server.postgres_install import client_binaries

_DATA_LINE: Final = re.compile(r"^\d+; \d+ \d+ TABLE DATA \S+ (\S+) \S+$")
_PARTITION: Final = re.compile(r"_(default|\d{4}_\d{2})$")


async def dump(dsn: str, snapshot: str, path: Path) -> None:
    """Everything that an exported snapshot sees, into one compressed file. Raises BackupError.

    Rows of partitions are loaded through their table: by then the partitions may be cut otherwise.
    """
    await _run(
        *("pg_dump", dsn, "--format=custom", "--compress=gzip:1", "--no-owner", "--no-privileges"),
        *("--load-via-partition-root", f"--snapshot={snapshot}", f"--file={path}"),
    )


NEWER_SETTING: Final = b"SET transaction_timeout = 0;\n"
"""pg_restore says this to every server, and servers before PostgreSQL 17 do not know it."""

_CHUNK_BYTES: Final = 1 << 20


async def load(dsn: str, path: Path) -> None:
    """A dump into an empty database, all or nothing. Raises BackupError."""
    await _load(dsn, "--no-owner", "--no-privileges", str(path))


async def load_rows(dsn: str, path: Path, tables: frozenset[str], listing: Path) -> None:
    """The rows of some tables, which are there and empty; `listing` is a file to work with. Raises BackupError."""
    contents = await _run("pg_restore", "", "--list", str(path))
    _choose(contents, tables, listing)
    await _load(dsn, "--data-only", f"--use-list={listing}", str(path))


def _choose(contents: str, tables: frozenset[str], listing: Path) -> None:
    found = ((line, _DATA_LINE.match(line)) for line in contents.splitlines())
    wanted = [line for line, data in found if data and _PARTITION.sub("", data[1]) in tables]
    listing.write_text("\n".join(wanted) + "\n", encoding="utf-8")


async def _load(dsn: str, *arguments: str) -> None:
    """What pg_restore makes of a dump, but for the setting above, through psql in one transaction."""
    script = await _start("pg_restore", "", "--file=-", *arguments)
    loader = await _start(
        *("psql", dsn, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
        *("--output=/dev/null", "--file=-"),
        stdin=PIPE,
    )
    try:
        await asyncio.gather(_pass_on(script, loader), _end(loader, "psql"))
        await _end(script, "pg_restore")
    finally:
        for process in (script, loader):
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _pass_on(script: Process, loader: Process) -> None:
    assert script.stdout is not None
    assert loader.stdin is not None
    head = b""
    while len(head) < _CHUNK_BYTES and (chunk := await script.stdout.read(_CHUNK_BYTES)):
        head += chunk
    chunk = head.replace(NEWER_SETTING, b"", 1)
    try:
        while chunk:
            loader.stdin.write(chunk)
            await loader.stdin.drain()
            chunk = await script.stdout.read(_CHUNK_BYTES)
        loader.stdin.close()
    except ConnectionError:
        return  # psql has ended, and says why


async def _end(process: Process, program: str) -> None:
    assert process.stderr is not None
    errors = await process.stderr.read()
    if await process.wait():
        raise BackupError(f"{program} failed: {errors.decode(errors='replace').strip()}")


async def _run(program: str, dsn: str, *arguments: str) -> str:
    """Run one of the tools; what it says. Raises BackupError."""
    process = await _start(program, dsn, *arguments)
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise BackupError(f"{program} failed: {errors.decode(errors='replace').strip()}")
    return output.decode()


async def _start(program: str, dsn: str, *arguments: str, stdin: int = DEVNULL) -> Process:
    """Start one of the tools. A password goes by the environment: command lines can be read by others."""
    environ = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    database: tuple[str, ...] = ()
    if dsn:
        parts = urlsplit(dsn)
        if parts.password is not None:
            environ["PGPASSWORD"] = unquote(parts.password)
            user, _, host = parts.netloc.rpartition("@")
            parts = parts._replace(netloc=f"{user.partition(':')[0]}@{host}")
        database = (f"--dbname={urlunsplit(parts)}",) if parts.netloc else (f"--dbname={dsn}",)
    return await asyncio.create_subprocess_exec(
        *(str(client_binaries() / program), *database, *arguments),
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
        env=environ,
    )
