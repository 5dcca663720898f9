"""What is waited for, and what is refused."""

from __future__ import annotations

import asyncpg
import pytest

from server.errors import DatabaseUnavailable
from server.postgres_errors import is_away


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        DatabaseUnavailable(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.AdminShutdownError(),
        asyncpg.CrashShutdownError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.QueryCanceledError(),
        asyncpg.DiskFullError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.OutOfMemoryError(),
        asyncpg.SerializationError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.ReadOnlySQLTransactionError(),
        asyncpg.PostgresIOError(),
    ],
)
def test_another_attempt_may_succeed(error: Exception) -> None:
    assert is_away(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DataError(),
        asyncpg.CharacterNotInRepertoireError(),
        asyncpg.NumericValueOutOfRangeError(),
        asyncpg.UniqueViolationError(),
        asyncpg.CheckViolationError(),
        asyncpg.UndefinedTableError(),
        asyncpg.ProgramLimitExceededError(),
        asyncpg.InsufficientPrivilegeError(),
        asyncpg.PostgresError(),
        ValueError(),
        KeyError(),
    ],
)
def test_no_attempt_would_ever_succeed(error: Exception) -> None:
    assert not is_away(error)
