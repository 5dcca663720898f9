"""Brings a database's schema up to date: numbered SQL files, each applied once, in order, in a transaction of its own."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sys
from pathlib import Path

import asyncpg
import msgspec

FOLDER = Path(__file__).resolve().parent.parent / "sql" / "migrations"
LOCK_KEY = 0x4B455242  # "KERB": one migration run at a time in a database
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_NOTE = re.compile(r"-- note: \S.*")

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number      integer     PRIMARY KEY,
    name        text        NOT NULL,
    checksum    text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
)"""


class MigrationError(Exception):
    """The files and the database do not fit together, or a migration failed; nothing of that migration was kept."""


class Migration(msgspec.Struct, frozen=True):
    number: int
    name: str  # the file's name
    sql: str
    checksum: str  # SHA-256 of the file, hex


def read_migrations(folder: Path = FOLDER) -> list[Migration]:
    """The folder's migrations in order. Refuses a wrong name, a gap or a double in the numbers, and a missing note."""
    migrations = []
    for path in sorted(folder.glob("*.sql")):
        matched = _NAME.fullmatch(path.name)
        if matched is None:
            raise MigrationError(f"{path.name}: a migration is named like 0007_what_it_does.sql")
        content = path.read_bytes()
        sql = content.decode("utf-8")
        if not _NOTE.match(sql):
            raise MigrationError(
                f"{path.name}: the first line must be '-- note: …' and say what the migration does"
            )
        migrations.append(Migration(int(matched[1]), path.name, sql, hashlib.sha256(content).hexdigest()))
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            raise MigrationError(
                f"{migration.name}: expected number {expected:04d} here, numbers have no gap or double"
            )
    return migrations


async def migrate(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Applies what is missing and returns the names applied, in order; waits for another run that is under way.

    Raises MigrationError where an applied file has changed, the database knows a migration that is not in `folder`
    (it belongs to a newer Kerb), or a migration fails.
    """
    migrations = await asyncio.to_thread(read_migrations, folder)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        await connection.execute("SET client_min_messages = warning")
        await connection.execute(_TABLE)
        missing = _missing(migrations, await _applied(connection))
        for done, migration in enumerate(missing, start=1):
            _progress(f"migration {done}/{len(missing)}: {migration.name}")
            await _apply(connection, migration)
        return [migration.name for migration in missing]
    finally:
        await connection.close()  # ends the session, and with it the lock


async def missing_migrations(dsn: str, folder: Path = FOLDER) -> list[str]:
    """The names that `migrate` would apply, in order; changes nothing. Raises MigrationError as `migrate` does."""
    migrations = await asyncio.to_thread(read_migrations, folder)
    connection = await asyncpg.connect(dsn)
    try:
        known = await connection.fetchval("SELECT to_regclass('schema_migrations')")
        applied = await _applied(connection) if known is not None else {}
        return [migration.name for migration in _missing(migrations, applied)]
    finally:
        await connection.close()


async def _applied(connection: asyncpg.Connection) -> dict[int, tuple[str, str]]:
    rows = await connection.fetch("SELECT number, name, checksum FROM schema_migrations")
    return {row["number"]: (row["name"], row["checksum"]) for row in rows}


def _missing(migrations: list[Migration], applied: dict[int, tuple[str, str]]) -> list[Migration]:
    known = {migration.number for migration in migrations}
    if unknown := sorted(applied.keys() - known):
        names = ", ".join(applied[number][0] for number in unknown)
        raise MigrationError(
            f"the database has migrations that this Kerb does not know ({names}); use the newer Kerb"
        )
    changed = [
        f"{migration.name} (applied as {applied[migration.number][0]})"
        for migration in migrations
        if migration.number in applied and applied[migration.number] != (migration.name, migration.checksum)
    ]
    if changed:
        raise MigrationError(
            f"changed since they were applied: {', '.join(changed)}; write a new migration instead"
        )
    return [migration for migration in migrations if migration.number not in applied]


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.checksum,
            )
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration.name} failed, nothing of it was kept: {error}") from error


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(line + "\n")
