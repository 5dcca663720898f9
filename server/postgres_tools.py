"""Runs pg_dump and pg_restore of the embedded PostgreSQL's installation, against whichever server is used."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
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


async def load(dsn: str, path: Path) -> None:
    """A dump into an empty database, all or nothing. Raises BackupError."""
    await _run("pg_restore", dsn, "--no-owner", "--no-privileges", "--single-transaction", str(path))


async def load_rows(dsn: str, path: Path, tables: frozenset[str], listing: Path) -> None:
    """The rows of some tables, which are there and empty; `listing` is a file to work with. Raises BackupError."""
    contents = await _run("pg_restore", "", "--list", str(path))
    _choose(contents, tables, listing)
    await _run("pg_restore", dsn, "--data-only", "--single-transaction", f"--use-list={listing}", str(path))


def _choose(contents: str, tables: frozenset[str], listing: Path) -> None:
    found = ((line, _DATA_LINE.match(line)) for line in contents.splitlines())
    wanted = [line for line, data in found if data and _PARTITION.sub("", data[1]) in tables]
    listing.write_text("\n".join(wanted) + "\n", encoding="utf-8")


async def _run(program: str, dsn: str, *arguments: str) -> str:
    """Run one of the tools; what it says. A password goes by the environment: command lines can be read by others."""
    environ = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    database: tuple[str, ...] = ()
    if dsn:
        parts = urlsplit(dsn)
        if parts.password is not None:
            environ["PGPASSWORD"] = unquote(parts.password)
            user, _, host = parts.netloc.rpartition("@")
            parts = parts._replace(netloc=f"{user.partition(':')[0]}@{host}")
        database = (f"--dbname={urlunsplit(parts)}",) if parts.netloc else (f"--dbname={dsn}",)
    process = await asyncio.create_subprocess_exec(
        *(str(client_binaries() / program), *database, *arguments),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=environ,
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise BackupError(f"{program} failed: {errors.decode(errors='replace').strip()}")
    return output.decode()
