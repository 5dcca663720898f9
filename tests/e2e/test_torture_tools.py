"""What the attacks on real processes look through: the relay that knows a COMMIT, and the log of the calls."""

from __future__ import annotations

from pathlib import Path
from random import Random

import asyncpg
import pytest

from tests.server.reachable_folder import reachable_folder
from tests.torture.proxy import Moment, PostgresRelay
from tests.torture.strace import calls_in, injection, synced_end, was_injected

SEGMENT = Path("/j/segment-1.kj")
CALLS = """\
pwrite64(9</j/segment-1.kj>, ""..., 4096, 8192) = 4096
fdatasync(9</j/segment-1.kj>)           = 0
pwrite64(9</j/segment-next.tmp>, ""..., 65536, 0) = 65536
fdatasync(9</j/segment-next.tmp>)       = 0
pwrite64(9</j/segment-1.kj>, ""..., 8192, 12288) = 8192
fdatasync(9</j/segment-1.kj>)           = -1 EIO (Input/output error) (INJECTED)
+++ exited with 74 +++
"""


@pytest.mark.database
@pytest.mark.parametrize("slice_max", [0, 3])
@pytest.mark.parametrize(
    ("moment", "is_committed"), [(Moment.BEFORE, False), (Moment.HALF, False), (Moment.AFTER, True)]
)
async def test_a_relay_cuts_at_the_moment_of_a_commit(
    database_dsn: str, moment: Moment, is_committed: bool, slice_max: int
) -> None:
    relay = PostgresRelay(database_dsn, Random(1))
    relay.slice_max = slice_max
    with reachable_folder() as folder:
        async with relay.listening(relay.socket_in(folder)):
            named = {"application_name": "kerb-writer:1"}
            writer = await asyncpg.connect(relay.dsn(folder), server_settings=named)
            other = await asyncpg.connect(relay.dsn(folder))
            await writer.execute("CREATE TABLE cut (at integer)")
            relay.arm(moment, lambda link: link.cut())
            async with other.transaction():  # not the write-behind's
                await other.execute("INSERT INTO cut VALUES (0)")
            transaction = writer.transaction()
            await transaction.start()
            await writer.execute("INSERT INTO cut VALUES (1)")
            with pytest.raises((asyncpg.PostgresConnectionError, OSError)):
                await transaction.commit()
            assert relay.reached.is_set()
            rows = await other.fetch("SELECT at FROM cut ORDER BY at")
            assert [row["at"] for row in rows] == [0, 1][: 1 + is_committed]
            await other.close()


def test_the_log_says_what_was_synced(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(CALLS, encoding="utf-8")
    assert calls_in(log) == {
        "pwrite64": 3, "fdatasync": 3, "fallocate": 0, "rename": 0, "fsync": 0, "unlink": 0
    }  # fmt: skip
    assert was_injected(log)
    assert synced_end(log, SEGMENT) == 12288
    log.write_text(CALLS.replace("= -1 EIO (Input/output error) (INJECTED)", "= 0"), encoding="utf-8")
    assert synced_end(log, SEGMENT) == 20480
    log.write_text(CALLS.replace("8192, 12288) = 8192", "8192, 12288) = 1 (INJECTED)"), encoding="utf-8")
    assert synced_end(log, SEGMENT) == 12288
    assert synced_end(log, Path("/j/segment-2.kj")) is None


def test_what_was_written_before_the_trace_counts_as_synced(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text('pwrite64(9</j/segment-1.kj>, ""..., 4096, 8192) = -1 EIO (INJECTED)\n', encoding="utf-8")
    assert synced_end(log, SEGMENT) == 8192


@pytest.mark.parametrize(
    ("error", "option"),
    [
        ("EIO", "inject=fsync:error=EIO:when=3"),
        ("short", "inject=fsync:retval=1:when=3"),
        ("kill", "inject=fsync:signal=SIGKILL:when=3"),
    ],
)
def test_an_injection_as_strace_has_it(error: str, option: str) -> None:
    assert injection("fsync", error, 3) == option
