"""Where the embedded PostgreSQL is put: what a user can reach, the copy of the binaries, links that lead nowhere."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from config.loading import load_settings
from server import postgres_install
from server.embedded_postgres import EmbeddedPostgres
from server.postgres_install import EmbeddedPostgresError, RunAs, prepare, reachable
from tests.server.reachable_folder import reachable_folder

NOBODY = RunAs(65534, 65534)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to drop to another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as path:
        yield path


@as_root
@pytest.mark.parametrize(
    ("owner", "mode", "expected"),
    [
        (0, 0o755, True),
        (0, 0o711, True),
        (0, 0o700, False),
        (0, 0o754, False),
        (NOBODY.uid, 0o700, True),
        (NOBODY.uid, 0o077, False),
    ],
)
def test_a_folder_is_reachable_if_each_one_above_it_may_be_entered(
    folder: Path, owner: int, mode: int, expected: bool
) -> None:
    inner = folder / "above" / "inner"
    inner.mkdir(parents=True)
    os.chown(inner.parent, owner, owner)
    inner.parent.chmod(mode)
    assert reachable(inner, NOBODY) is expected


def test_a_link_whose_folder_is_gone_is_refused_instead_of_starting_empty(folder: Path) -> None:
    (folder / "postgres").symlink_to(folder / "gone")
    with pytest.raises(EmbeddedPostgresError, match="which is gone"):
        prepare(folder)


@as_root
@pytest.mark.database
async def test_binaries_that_only_root_can_reach_are_copied_with_their_libraries(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [package] = [Path(path) for path in _search_locations()]
    root_only = folder / "root-only"
    root_only.mkdir(mode=0o700)
    for name in (f"{package.name}/pginstall18", f"{package.name}.libs"):
        shutil.copytree(package.parent / name, root_only / name, symlinks=True)
    (root_only / package.name / "__init__.py").write_text("")
    (root_only / package.name / "pginstall18" / "bin" / "postgres").chmod(0o700)
    monkeypatch.syspath_prepend(str(root_only))
    monkeypatch.setattr(postgres_install, "SHARED_HOME", folder / "shared")

    server = EmbeddedPostgres(root_only / "kerb", load_settings("test", None, {}).settings.postgres)
    try:
        connection = await asyncpg.connect(await server.start())
        assert str(await connection.fetchval("SHOW server_version")).startswith("18.")
        await connection.close()
        executable = Path(f"/proc/{server.pid}/exe").resolve()
    finally:
        await server.stop()
    assert executable.is_relative_to(folder / "shared")
    assert (root_only / "kerb" / "postgres").resolve().is_relative_to(folder / "shared")
    assert prepare(root_only / "kerb").bin_dir == executable.parent, "the copy is made once"
    assert [path.name for path in (folder / "shared").iterdir() if path.name.startswith("unfinished")] == []


@as_root
def test_the_place_of_a_database_elsewhere_is_told_at_each_start_and_what_was_left_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgres_install, "SHARED_HOME", folder / "shared")
    root_only = folder / "root-only"
    root_only.mkdir(mode=0o700)
    left = prepare(root_only / "removed").home
    shutil.rmtree(root_only / "removed")
    caplog.set_level("INFO", "kerb.postgres")
    home = prepare(root_only / "kerb").home
    place, other = (record.getMessage() for record in caplog.records)
    assert place == f"the database of {root_only}/kerb is in {home}: remove that together with the folder"
    assert other.startswith(
        f"{left} of {root_only}/removed: the data folder is no longer there; if it was removed, "
    )
    assert left.is_dir()
    for number in range(4):
        prepare(root_only / f"more{number}")
        shutil.rmtree(root_only / f"more{number}")
    prepare(root_only / "kerb")
    assert f", 2 more in {folder}/shared: the data folder is no longer" in caplog.records[-1].getMessage()


def _search_locations() -> list[str]:
    spec = importlib.util.find_spec(postgres_install.PACKAGE)
    assert spec is not None
    return list(spec.submodule_search_locations or [])
