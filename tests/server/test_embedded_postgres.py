"""The supervisor of the embedded PostgreSQL against the real binaries: first start, kills, orphans, users, folders."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from config.loading import load_settings
from config.settings import PostgresSettings
from server.embedded_postgres import EmbeddedPostgres
from server.postgres_install import SHARED_HOME, DatabaseBusy, EmbeddedPostgresError
from server.postgres_process import is_running, processes_in, wait_gone
from tests.server.reachable_folder import reachable_folder

pytestmark = pytest.mark.database
NOBODY = 65534
ROOT = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def postgres_settings() -> PostgresSettings:
    return load_settings("test", None, {}, {"postgres.start_timeout_s": 20}).settings.postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as path:
        yield path


@pytest.fixture
async def server(folder: Path, postgres_settings: PostgresSettings) -> AsyncIterator[EmbeddedPostgres]:
    """Not started yet; stopped at the end whatever happened."""
    postgres = EmbeddedPostgres(folder / "kerb", postgres_settings)
    yield postgres
    await postgres.stop()


async def value(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def eventually(condition: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)
    assert condition(), what


def home_of(data_dir: Path) -> Path:
    return (data_dir / "postgres").resolve()


class Runner:
    """A supervisor in a process of its own, which can be killed."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.server.postgres_runner", str(data_dir), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().split()
        assert len(line) == 3, "the supervisor did not start; its error stands above"
        self.dsn, self.pid, self.how = line[0], int(line[1]), line[2]

    def kill(self) -> None:
        self.process.kill()
        self.finish()

    def finish(self) -> int:
        """Closes its standard input, which ends it in order; returns its exit code."""
        self.process.communicate()
        return self.process.returncode


async def test_the_first_start_makes_a_cluster_with_safe_settings_and_a_stop_ends_it(
    server: EmbeddedPostgres, folder: Path
) -> None:
    dsn = await server.start()
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "jit": "off",
        "max_connections": "40",
        "unix_socket_permissions": "0700",
    }
    assert {name: await value(dsn, f"SHOW {name}") for name in expected} == expected
    home = home_of(folder / "kerb")
    assert [oct((home / part).stat().st_mode & 0o777) for part in (".", "data", "run")] == ["0o700"] * 3
    pid = server.pid
    assert pid is not None
    await server.stop()
    assert server.pid is None
    assert not is_running(pid)
    assert processes_in(home / "data") == []


async def test_data_survives_a_restart(server: EmbeddedPostgres) -> None:
    await value(await server.start(), "CREATE TABLE kept AS SELECT 42 AS answer")
    await server.stop()
    assert await value(await server.start(), "SELECT answer FROM kept") == 42


async def test_a_server_that_dies_is_started_again(server: EmbeddedPostgres) -> None:
    dsn = await server.start()
    await value(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    first = server.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: server.pid not in (None, first), "a new postmaster")
    async with asyncio.timeout(20):
        while True:
            try:
                assert await value(dsn, "SELECT answer FROM kept") == 42
                break
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.01)


async def test_the_orphan_of_a_killed_supervisor_is_adopted_with_its_data(
    server: EmbeddedPostgres, folder: Path
) -> None:
    killed = Runner(folder / "kerb")
    await value(killed.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    killed.kill()
    assert is_running(killed.pid)
    dsn = await server.start()
    assert (server.pid, server.adopted) == (killed.pid, True)
    assert await value(dsn, "SELECT answer FROM kept") == 42
    await server.stop()
    assert not is_running(killed.pid)


async def test_an_orphan_that_does_not_answer_is_stopped_and_replaced(folder: Path) -> None:
    killed = Runner(folder / "kerb")
    killed.kill()
    os.kill(killed.pid, signal.SIGSTOP)
    impatient = {"postgres.start_timeout_s": 1, "postgres.stop_timeout_s": 1}
    server = EmbeddedPostgres(folder / "kerb", load_settings("test", None, {}, impatient).settings.postgres)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("server.embedded_postgres.IMMEDIATE_STOP_S", 0.5)
            await server.start()
        assert server.pid not in (None, killed.pid)
        assert not is_running(killed.pid)
    finally:
        await server.stop()


async def test_backends_that_outlive_their_postmaster_do_not_stop_the_next_start(
    server: EmbeddedPostgres, folder: Path
) -> None:
    killed = Runner(folder / "kerb")
    data = home_of(folder / "kerb") / "data"
    backends = [pid for pid in processes_in(data) if pid != killed.pid]
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)  # so that they cannot notice
    killed.process.kill()
    os.kill(killed.pid, signal.SIGKILL)
    killed.finish()
    assert await wait_gone([killed.pid], 10)
    await server.start()
    assert not server.adopted
    assert [pid for pid in backends if is_running(pid)] == []


@pytest.mark.parametrize(
    "content", ["{somebody_else}\n/elsewhere\n", "999999999\n/elsewhere\n", "", "garbage"]
)
async def test_a_stale_pid_file_does_not_stop_the_start(
    server: EmbeddedPostgres, folder: Path, content: str
) -> None:
    await server.start()
    await server.stop()
    pid_file = home_of(folder / "kerb") / "data" / "postmaster.pid"
    somebody_else = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text(content.format(somebody_else=somebody_else.pid))
        await server.start()
        assert not server.adopted
        assert somebody_else.poll() is None, "a process that is none of ours was ended"
    finally:
        somebody_else.kill()
        somebody_else.wait()


async def test_an_initdb_that_was_cut_off_is_done_again(server: EmbeddedPostgres, folder: Path) -> None:
    await server.start()
    await server.stop()
    home = home_of(folder / "kerb")
    (home / "data").rename(home / "data.unfinished")
    (home / "data.unfinished" / "global" / "pg_control").unlink()
    assert await value(await server.start(), "SELECT 1") == 1
    assert not (home / "data.unfinished").exists()


async def test_another_major_version_is_refused_and_nothing_is_touched(
    server: EmbeddedPostgres, folder: Path
) -> None:
    await server.start()
    await server.stop()
    version = home_of(folder / "kerb") / "data" / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(EmbeddedPostgresError, match=r"was written by PostgreSQL 15, this Kerb runs 18"):
        await server.start()
    assert (server.pid, version.read_text()) == (None, "15\n")


async def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres, folder: Path) -> None:
    await server.start()
    await server.stop()
    (home_of(folder / "kerb") / "data" / "global" / "pg_control").write_bytes(b"damaged")
    with pytest.raises(EmbeddedPostgresError, match="pg_control"):
        await server.start()
    assert server.pid is None


def make_recovery_slow(home: Path) -> None:
    """The next start recovers from an archive that answers each question late, and takes no connection meanwhile."""
    (home / "data" / "recovery.signal").touch()
    with (home / "data" / "postgresql.auto.conf").open("a") as file:
        file.write("restore_command = 'sleep 1; false'\nhot_standby = off\n")


async def test_a_recovery_may_take_longer_than_a_start(server: EmbeddedPostgres, folder: Path) -> None:
    await value(await server.start(), "CREATE TABLE kept AS SELECT 42 AS answer")
    await server.stop()
    make_recovery_slow(home_of(folder / "kerb"))
    limits = {"postgres.start_timeout_s": 1, "postgres.recovery_timeout_s": 60}
    patient = EmbeddedPostgres(folder / "kerb", load_settings("test", None, {}, limits).settings.postgres)
    try:
        began = time.monotonic()
        assert await value(await patient.start(), "SELECT answer FROM kept") == 42
        assert time.monotonic() - began > 1, "the recovery was not slow, this has shown nothing"
    finally:
        await patient.stop()


async def test_a_recovery_beyond_its_own_limit_is_given_up_and_nothing_is_left_running(
    server: EmbeddedPostgres, folder: Path
) -> None:
    await server.start()
    await server.stop()
    make_recovery_slow(home_of(folder / "kerb"))
    limits = {"postgres.start_timeout_s": 30, "postgres.recovery_timeout_s": 1, "postgres.stop_timeout_s": 1}
    impatient = EmbeddedPostgres(folder / "kerb", load_settings("test", None, {}, limits).settings.postgres)
    with pytest.raises(EmbeddedPostgresError, match="is still recovering after 1 s"):
        await impatient.start()
    assert impatient.pid is None
    assert await wait_gone(processes_in(home_of(folder / "kerb") / "data"), 10)


async def test_a_data_folder_with_a_long_name_gets_a_short_socket(
    folder: Path, postgres_settings: PostgresSettings
) -> None:
    server = EmbeddedPostgres(
        folder / ("long-" * 20) / "a 'quoted', \"odd\" name" / "kerb", postgres_settings
    )
    try:
        dsn = await server.start()
        assert await value(dsn, "SELECT 1") == 1
        sockets = Path(str(await value(dsn, "SHOW unix_socket_directories")).strip('"'))
        assert len(str(sockets / ".s.PGSQL.5432")) <= 107
        assert sockets.stat().st_mode & 0o777 == 0o700
    finally:
        await server.stop()
    assert not list(sockets.iterdir())
    sockets.rmdir()


async def test_the_server_may_use_every_cpu_although_its_supervisor_is_pinned(
    server: EmbeddedPostgres,
) -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        await server.start()
    finally:
        os.sched_setaffinity(0, allowed)
    assert server.pid is not None
    assert os.sched_getaffinity(server.pid) == allowed


async def test_an_interrupt_from_the_terminal_does_not_reach_the_server(folder: Path) -> None:
    runner = Runner(folder / "kerb")
    assert os.getsid(runner.pid) == runner.pid != os.getsid(runner.process.pid)
    assert runner.finish() == 0
    assert not is_running(runner.pid)


@as_root
async def test_an_ordinary_user_can_run_it(folder: Path) -> None:
    folder.chmod(0o777)
    runner = Runner(folder / "kerb", str(NOBODY))
    assert {path.stat().st_uid for path in (folder / "kerb" / "postgres").iterdir()} == {NOBODY}
    assert Path(f"/proc/{runner.pid}").stat().st_uid == NOBODY
    assert runner.finish() == 0


@as_root
async def test_root_drops_to_another_user_and_takes_over_what_that_user_made(
    server: EmbeddedPostgres, folder: Path
) -> None:
    folder.chmod(0o777)
    assert Runner(folder / "kerb", str(NOBODY)).finish() == 0
    await server.start()
    assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY


@as_root
async def test_what_root_made_is_refused_to_an_ordinary_user_with_the_reason(
    server: EmbeddedPostgres, folder: Path
) -> None:
    await server.start()
    await server.stop()
    os.chown(folder / "kerb", NOBODY, NOBODY)
    asked = subprocess.run(
        [sys.executable, "-m", "tests.server.postgres_runner", str(folder / "kerb"), str(NOBODY)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert "belongs to the user with id" in asked.stderr


@as_root
async def test_in_a_folder_that_only_root_may_enter_the_data_is_kept_where_the_server_can_reach_it(
    server: EmbeddedPostgres, folder: Path
) -> None:
    folder.chmod(0o700)
    await value(await server.start(), "CREATE TABLE kept AS SELECT 42 AS answer")
    home = home_of(folder / "kerb")
    assert (folder / "kerb" / "postgres").is_symlink()
    assert home.parent == SHARED_HOME
    assert Path(f"/proc/{server.pid}").stat().st_uid not in (0, None)
    await server.stop()
    assert await value(await server.start(), "SELECT answer FROM kept") == 42


async def test_a_copy_of_the_data_folder_leaves_the_running_server_alone(
    server: EmbeddedPostgres, folder: Path, postgres_settings: PostgresSettings
) -> None:
    await server.start()
    pid = server.pid
    copy = folder / "copy"
    copy.mkdir()
    (copy / "postgres").symlink_to(home_of(folder / "kerb"))
    other = EmbeddedPostgres(copy, postgres_settings)
    with pytest.raises(DatabaseBusy, match="needs a database of its own"):
        await other.start()
    await other.stop()
    assert server.pid == pid
    assert pid is not None
    assert is_running(pid)
    await server.stop()
    await other.start()
    await other.stop()
