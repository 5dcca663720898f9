"""Databases below the shared home: whose each is, and which are left over. None is ever removed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from server.shared_home import note_owner, without_owner


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


def data_folder(place: Path, shared: Path) -> Path:
    """A data folder whose database lies below the shared home; returns the database."""
    home = shared / f"{place.name}-x1"
    home.mkdir()
    place.mkdir(parents=True)
    (place / "postgres").symlink_to(home)
    note_owner(home, place / "postgres")
    return home


def test_a_database_whose_folder_was_removed_is_named_and_kept(tmp_path: Path, shared: Path) -> None:
    home = data_folder(tmp_path / "demo", shared)
    data_folder(tmp_path / "other", shared)
    assert without_owner(shared) == []
    shutil.rmtree(tmp_path / "demo")
    assert without_owner(shared) == [(home, tmp_path / "demo")]
    assert home.is_dir()


def test_a_folder_that_was_moved_is_known_again_with_its_next_start(tmp_path: Path, shared: Path) -> None:
    home = data_folder(tmp_path / "demo", shared)
    (tmp_path / "demo").rename(tmp_path / "moved")
    assert without_owner(shared) == [(home, tmp_path / "demo")]
    note_owner(home, tmp_path / "moved" / "postgres")
    assert without_owner(shared) == []


def test_a_folder_that_was_made_anew_has_left_its_old_database(tmp_path: Path, shared: Path) -> None:
    home = data_folder(tmp_path / "demo", shared)
    shutil.rmtree(tmp_path / "demo")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "postgres").symlink_to(shared / "demo-x2")
    assert without_owner(shared) == [(home, tmp_path / "demo")]


def test_what_nobody_noted_is_left_alone_and_notes_go_with_their_database(
    tmp_path: Path, shared: Path
) -> None:
    (shared / "of-an-earlier-version").mkdir()
    home = data_folder(tmp_path / "demo", shared)
    shutil.rmtree(home)
    assert without_owner(shared) == []
    assert [path.name for path in shared.iterdir()] == ["of-an-earlier-version"]
