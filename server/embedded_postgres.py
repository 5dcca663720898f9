"""Supervises Kerb's own PostgreSQL: makes the cluster, starts or adopts the server, restarts it if it dies, stops it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import asyncpg

from config.settings import PostgresSettings
from server.postgres_install import (
    MAJOR,
    SOCKET_NAME,
    EmbeddedPostgresError,
    PostgresInstall,
    lock_home,
    prepare,
)
from server.postgres_process import (
    POLL_S,
    is_running,
    pid_in,
    processes_in,
    send,
    tail_of,
    wait_gone,
    works_in,
)

logger = logging.getLogger("kerb.postgres")

SUPERUSER = "kerb"
DATABASE = "kerb"
PORT = 5432  # names the socket; nothing listens on a network
LOG_BYTES_MAX = 16 * 1024 * 1024  # a larger log is set aside at the next start, one generation
WATCH_S = 0.5
RESTART_DELAY_S = 1.0
IMMEDIATE_STOP_S = 10.0


class _ShuttingDown(Exception):
    """The server answered that it is on its way down."""


class EmbeddedPostgres:
    """PostgreSQL 18 out of the wheel, on a unix socket in a 0700 folder, durable settings, its own session.

    The caller holds the lock of `data_dir`: two supervisors of one folder would fight over the server.
    """

    def __init__(self, data_dir: Path, settings: PostgresSettings) -> None:
        self._data_dir = data_dir
        self._settings = settings
        self._install: PostgresInstall | None = None
        self._child: subprocess.Popen[bytes] | None = None  # None while the server is an adopted one
        self._pid: int | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._lock: int | None = None

    def __repr__(self) -> str:
        whose = "stopped" if self._pid is None else "started" if self._child else "adopted"
        return f"EmbeddedPostgres({str(self._data_dir)!r}, pid={self._pid}, {whose})"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; None when it is not running. It changes when the server had to be restarted."""
        return self._pid

    @property
    def adopted(self) -> bool:
        """Whether the server is one that an earlier, killed Kerb left running."""
        return self._pid is not None and self._child is None

    async def start(self) -> str:
        """Returns the DSN of database `kerb` once it can be used. Raises EmbeddedPostgresError or DatabaseBusy; nothing of
        ours is left running then.

        Waits `start_timeout_s` for an answer, and `recovery_timeout_s` as long as the server says that it is recovering.
        """
        self._install = await asyncio.to_thread(prepare, self._data_dir)
        self._lock = lock_home(self._install.home)
        try:
            await asyncio.to_thread(_ensure_cluster, self._install)
            await self._launch()
            await self._ensure_database()
        except BaseException:
            await self._stop_server()
            self._unlock()
            raise
        self._watcher = asyncio.create_task(self._watch(), name="embedded-postgres-watch")
        return self._dsn(DATABASE)

    async def running_dsn(self) -> str:
        """The DSN of a server that another process supervises; nothing is started. Raises EmbeddedPostgresError."""
        self._install = await asyncio.to_thread(prepare, self._data_dir)
        return self._dsn(DATABASE)

    async def stop(self) -> None:
        """Fast shutdown (clients are cut, everything is checkpointed); immediate after `stop_timeout_s`. Idempotent."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        await self._stop_server()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _ready_install(self) -> PostgresInstall:
        if self._install is None:
            raise RuntimeError("start() has not been called")
        return self._install

    def _dsn(self, database: str) -> str:
        sockets = quote(str(self._ready_install().sockets), safe="")
        return f"postgresql://{SUPERUSER}@/{database}?host={sockets}&port={PORT}"

    async def _launch(self) -> None:
        """Adopts the server that already runs on our data, else clears what a dead one left and starts a new one."""
        data = self._ready_install().data
        if await self._adopt(data):
            return
        if leftovers := processes_in(data):
            logger.warning("ending %d processes of a server that has died", len(leftovers))
            await _end(leftovers)
        _remove_misleading_pid_files(self._ready_install())
        self._child = self._spawn()
        self._pid = self._child.pid
        await self._wait_ready()

    async def _adopt(self, data: Path) -> bool:
        pid = pid_in(data / "postmaster.pid")
        if pid is None or not works_in(pid, data):
            return False
        self._pid, self._child = pid, None
        try:
            await self._wait_ready()
        except _ShuttingDown:
            if not await wait_gone([pid], self._settings.stop_timeout_s):
                await self._stop_server()
        except EmbeddedPostgresError as error:
            logger.warning("the running server (pid %d) cannot be adopted, stopping it: %s", pid, error)
            await self._stop_server()
        else:
            logger.info("adopted the running server, pid %d", pid)
            return True
        self._pid = None
        return False

    def _spawn(self) -> subprocess.Popen[bytes]:
        install = self._ready_install()
        _set_log_aside(install.log)
        options = [part for name, value in self._options(install) for part in ("-c", f"{name}={value}")]
        with _open_log(install) as log:
            child = subprocess.Popen(
                [str(install.bin_dir / "postgres"), "-D", str(install.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=install.home,
                env=_clean_environment(),
                start_new_session=True,  # Ctrl-C in the terminal must reach Kerb only, which drains first
                user=install.run_as.uid if install.run_as else None,
                group=install.run_as.gid if install.run_as else None,
                extra_groups=[] if install.run_as else None,
            )
        _allow_every_cpu(child.pid)
        return child

    def _options(self, install: PostgresInstall) -> list[tuple[str, object]]:
        socket_list = '"' + str(install.sockets).replace('"', '""') + '"'
        return [
            ("listen_addresses", ""),
            ("port", PORT),
            ("unix_socket_directories", socket_list),
            ("unix_socket_permissions", "0700"),
            ("max_connections", self._settings.connections_max),
            ("shared_buffers", f"{self._settings.shared_buffers_mb}MB"),
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("wal_level", "replica"),
            ("jit", "off"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_min_messages", "warning"),
            ("log_checkpoints", "off"),
            ("log_line_prefix", "%m [%p] "),
            ("cluster_name", "kerb"),
        ]

    async def _wait_ready(self) -> None:
        """Returns when the server takes a connection and serves our data folder."""
        started = time.monotonic()
        recovering = False
        while True:
            self._check_alive()
            limit_s = self._settings.recovery_timeout_s if recovering else self._settings.start_timeout_s
            if time.monotonic() - started > limit_s:
                what = "is still recovering" if recovering else "does not answer"
                raise EmbeddedPostgresError(
                    f"PostgreSQL {what} after {limit_s} s; see {self._ready_install().log}"
                )
            try:
                await self._check_data_folder()
                return
            except asyncpg.CannotConnectNowError as error:
                if "shutting down" in str(error):
                    raise _ShuttingDown from None
                if not recovering:
                    logger.info("waiting for PostgreSQL: %s", error)
                recovering = True
            except (
                OSError,
                TimeoutError,
                asyncpg.TooManyConnectionsError,
                asyncpg.ConnectionDoesNotExistError,
            ):
                recovering = False
            await asyncio.sleep(POLL_S)

    def _check_alive(self) -> None:
        if not self._alive():
            install = self._ready_install()
            raise EmbeddedPostgresError(
                f"PostgreSQL ended while it was starting. {install.log} ends:\n{tail_of(install.log)}"
            )

    async def _check_data_folder(self) -> None:
        connection = await self._connect("postgres")
        try:
            folder = await connection.fetchval("SHOW data_directory")
        finally:
            await connection.close(timeout=5)
        if not self._is_our_data(folder):
            raise EmbeddedPostgresError(f"the server on {self._ready_install().sockets} serves {folder}")

    def _is_our_data(self, folder: str) -> bool:
        return Path(folder).resolve() == self._ready_install().data

    async def _connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(self._dsn(database), timeout=5)

    async def _ensure_database(self) -> None:
        connection = await self._connect("postgres")
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close(timeout=5)

    def _alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return self._pid is not None and is_running(self._pid)

    async def _watch(self) -> None:
        """Starts the server again when it has ended without having been told to; write-behind reconnects by itself."""
        while True:
            await asyncio.sleep(WATCH_S)
            if self._alive():
                continue
            logger.error("PostgreSQL (pid %s) has ended, starting it again", self._pid)
            try:
                await self._launch()
            except (EmbeddedPostgresError, _ShuttingDown, OSError) as error:
                logger.error(
                    "PostgreSQL cannot be started again, next attempt in %s s: %s", RESTART_DELAY_S, error
                )
                await asyncio.sleep(RESTART_DELAY_S)

    async def _stop_server(self) -> None:
        if self._pid is None:
            return
        pid = self._pid
        for number, patience_s in (
            (signal.SIGINT, float(self._settings.stop_timeout_s)),
            (signal.SIGQUIT, IMMEDIATE_STOP_S),
            (signal.SIGKILL, IMMEDIATE_STOP_S),
        ):
            send(pid, number)
            if await wait_gone([pid], patience_s):
                break
            logger.warning("PostgreSQL (pid %d) has not stopped %s s after %s", pid, patience_s, number.name)
        if self._child is not None:
            self._child.wait()
        self._pid, self._child = None, None


def _remove_misleading_pid_files(install: PostgresInstall) -> None:
    """Stale lock files are PostgreSQL's to judge, but for two kinds that it cannot tell: one without a pid, and one whose
    pid is now somebody else's or that of a zombie. Called when nothing works in the data folder.
    """
    for file in (install.data / "postmaster.pid", install.sockets / f"{SOCKET_NAME}.lock"):
        pid = pid_in(file)
        if pid is None or Path(f"/proc/{pid}").exists():
            file.unlink(missing_ok=True)


async def _end(pids: list[int]) -> None:
    """Backends notice the death of their postmaster by themselves; those that do not are ended."""
    for number, patience_s in ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        for pid in pids:
            send(pid, number)
        if await wait_gone(pids, patience_s):
            return
    raise EmbeddedPostgresError(f"processes {pids} of an earlier PostgreSQL cannot be ended")


def _ensure_cluster(install: PostgresInstall) -> None:
    """Makes the cluster if there is none (whole or not at all); refuses one of another major version."""
    version_file = install.data / "PG_VERSION"
    if not install.data.exists():
        _initdb(install)
    try:
        version = version_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EmbeddedPostgresError(
            f"{install.data} is not a PostgreSQL data folder ({error.strerror})"
        ) from error
    if version != MAJOR:
        raise EmbeddedPostgresError(
            f"{install.data} was written by PostgreSQL {version}, this Kerb runs {MAJOR}; "
            "move it over with pg_dump and pg_restore, or use the Kerb that wrote it"
        )


def _initdb(install: PostgresInstall) -> None:
    unfinished = install.home / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    done = subprocess.run(
        [
            str(install.bin_dir / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # whoever reaches the socket in its 0700 folder is the server's user or root
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=install.home,
        env=_clean_environment(),
        start_new_session=True,
        user=install.run_as.uid if install.run_as else None,
        group=install.run_as.gid if install.run_as else None,
        extra_groups=[] if install.run_as else None,
        check=False,
    )
    if done.returncode != 0:
        raise EmbeddedPostgresError(f"initdb failed: {(done.stderr or done.stdout).strip()}")
    unfinished.rename(install.data)
    folder = os.open(install.home, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _clean_environment() -> dict[str, str]:
    """Nothing of the caller's: a PGDATA or a locale of the terminal must not change the server."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _allow_every_cpu(pid: int) -> None:
    """Takes back the CPU affinity that the child inherited from a pinned Kerb."""
    with contextlib.suppress(
        OSError
    ):  # the child is gone already (seen at once), or a cpuset forbids it (then it keeps ours)
        os.sched_setaffinity(pid, range(os.sysconf("SC_NPROCESSORS_CONF")))


def _set_log_aside(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))


def _open_log(install: PostgresInstall) -> io.BufferedWriter:
    """Appends; a symbolic link that the server's user put there is not followed (this process may be root)."""
    fd = os.open(install.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return os.fdopen(fd, "ab")
