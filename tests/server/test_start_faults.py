"""What stops a start: the exit code that tells a supervisor, and the words that tell an operator."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from server.disk import ShortWrite
from server.exit_codes import ExitCode
from server.journal_errors import JournalPruned
from server.start_faults import exit_code_of, problems_of

FOLDER = Path("/data/kerb")


def kernel_error(number: int, file: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), file)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_disk_that_cannot_be_written_is_no_fault_of_the_database(number: int) -> None:
    error = kernel_error(number)
    assert exit_code_of(error) is ExitCode.JOURNAL_IO
    assert problems_of(error, FOLDER) == [f"the data folder {FOLDER}: {os.strerror(number)}"]


def test_the_file_is_named_where_the_kernel_says_which() -> None:
    error = kernel_error(errno.ENOSPC, "/data/kerb/jwt_secret")
    assert problems_of(error, FOLDER) == ["/data/kerb/jwt_secret: No space left on device"]


def test_a_write_that_was_cut_short_is_the_disk_s() -> None:
    assert exit_code_of(ShortWrite(3, 8)) is ExitCode.JOURNAL_IO


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOENT, errno.ETIMEDOUT])
def test_a_connection_that_fails_is_the_database_s(number: int) -> None:
    assert exit_code_of(kernel_error(number)) is ExitCode.DATABASE


def test_a_bug_has_no_code() -> None:
    assert exit_code_of(KeyError("x")) is None


def test_a_journal_that_no_longer_has_what_the_database_wants_does_not_belong_to_it() -> None:
    assert exit_code_of(JournalPruned(1, 500)) is ExitCode.FOREIGN_JOURNAL
