"""The installation's own secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.secrets_file import SecretUnusable, load_or_create_secret


def test_it_is_made_once_for_its_owner_only_and_differs_between_installations(tmp_path: Path) -> None:
    first = load_or_create_secret(tmp_path / "data" / "jwt_secret")
    assert load_or_create_secret(tmp_path / "data" / "jwt_secret") == first
    assert (tmp_path / "data" / "jwt_secret").stat().st_mode & 0o777 == 0o600
    assert load_or_create_secret(tmp_path / "other") != first
    assert len(first) >= 48


def test_one_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_or_create_secret(tmp_path / "jwt_secret")
    (tmp_path / "jwt_secret").chmod(0o644)
    with pytest.raises(SecretUnusable, match="can be read by others"):
        load_or_create_secret(tmp_path / "jwt_secret")


@pytest.mark.parametrize("content", [b"", b"\n", b"half of a secret\n", bytes(64), b"\xff" * 64])
def test_one_that_is_damaged_is_refused(tmp_path: Path, content: bytes) -> None:
    load_or_create_secret(tmp_path / "jwt_secret")
    (tmp_path / "jwt_secret").write_bytes(content)
    with pytest.raises(SecretUnusable, match="is not a secret of Kerb; remove it and everybody signs in"):
        load_or_create_secret(tmp_path / "jwt_secret")


def test_an_attempt_that_was_cut_off_leaves_no_half_secret(tmp_path: Path) -> None:
    (tmp_path / "jwt_secret.unfinished").write_text("half")
    assert len(load_or_create_secret(tmp_path / "jwt_secret")) >= 48
