"""The migration runner against a real server, with migrations written for the occasion."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from server.migrations import FOLDER, MigrationError, migrate, read_migrations

USERS = "-- note: people\nCREATE TABLE people (id integer);"
PETS = "-- note: pets\nCREATE TABLE pets (id integer);"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_people.sql").write_text(USERS)
    return tmp_path


async def query(dsn: str, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()


async def test_each_migration_is_applied_once_and_in_order(empty_database_dsn: str, folder: Path) -> None:
    assert await migrate(empty_database_dsn, folder) == ["0001_people.sql"]
    (folder / "0002_pets.sql").write_text(PETS)
    assert await migrate(empty_database_dsn, folder) == ["0002_pets.sql"]
    assert await migrate(empty_database_dsn, folder) == []
    rows = await query(empty_database_dsn, "SELECT name FROM schema_migrations ORDER BY number")
    assert [row["name"] for row in rows] == ["0001_people.sql", "0002_pets.sql"]


async def test_a_changed_file_is_refused_by_name(empty_database_dsn: str, folder: Path) -> None:
    await migrate(empty_database_dsn, folder)
    (folder / "0001_people.sql").write_text(USERS + "\n-- one more line")
    with pytest.raises(MigrationError, match=r"changed since they were applied: 0001_people\.sql"):
        await migrate(empty_database_dsn, folder)


async def test_a_database_of_a_newer_kerb_is_refused(empty_database_dsn: str, folder: Path) -> None:
    (folder / "0002_pets.sql").write_text(PETS)
    await migrate(empty_database_dsn, folder)
    (folder / "0002_pets.sql").unlink()
    with pytest.raises(MigrationError, match=r"does not know \(0002_pets\.sql\)"):
        await migrate(empty_database_dsn, folder)


async def test_a_failing_migration_leaves_nothing_of_itself_and_keeps_the_ones_before(
    empty_database_dsn: str, folder: Path
) -> None:
    (folder / "0002_broken.sql").write_text(
        "-- note: half\nCREATE TABLE half (id integer);\nCREATE TABLE people (id integer);"
    )
    with pytest.raises(MigrationError, match=r"0002_broken\.sql failed"):
        await migrate(empty_database_dsn, folder)
    tables = await query(
        empty_database_dsn, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    assert [row["tablename"] for row in tables] == ["people", "schema_migrations"]


async def test_a_migration_that_cannot_be_recorded_is_undone(empty_database_dsn: str, folder: Path) -> None:
    (folder / "0002_double.sql").write_text(
        "-- note: takes its own number\nCREATE TABLE half (id integer);\n"
        "INSERT INTO schema_migrations (number, name, checksum) VALUES (2, 'x', 'y');"
    )
    with pytest.raises(MigrationError, match=r"0002_double\.sql failed"):
        await migrate(empty_database_dsn, folder)
    [row] = await query(empty_database_dsn, "SELECT to_regclass('half') IS NULL AS undone")
    assert row["undone"]


async def test_two_runs_at_once_apply_each_migration_once(empty_database_dsn: str, folder: Path) -> None:
    (folder / "0002_pets.sql").write_text(PETS)
    runs = await asyncio.gather(*(migrate(empty_database_dsn, folder) for _ in range(4)))
    assert sorted(map(len, runs)) == [0, 0, 0, 2]


@pytest.mark.parametrize(
    ("name", "sql", "complaint"),
    [
        ("2_pets.sql", PETS, "is named like"),
        ("0003_pets.sql", PETS, "expected number 0002"),
        ("0001_pets.sql", PETS, "expected number 0002"),
        ("0002_pets.sql", "CREATE TABLE pets (id integer);", "first line must be"),
    ],
)
def test_a_folder_that_is_not_in_order_is_refused(folder: Path, name: str, sql: str, complaint: str) -> None:
    (folder / name).write_text(sql)
    with pytest.raises(MigrationError, match=complaint):
        read_migrations(folder)


def test_the_migrations_of_kerb_are_in_order() -> None:
    assert [migration.number for migration in read_migrations(FOLDER)] == list(
        range(1, len(list(FOLDER.glob("*.sql"))) + 1)
    )


async def test_the_migrated_database_knows_every_migration_of_kerb(database_dsn: str) -> None:
    rows = await query(database_dsn, "SELECT name FROM schema_migrations ORDER BY number")
    assert [row["name"] for row in rows] == [migration.name for migration in read_migrations(FOLDER)]
