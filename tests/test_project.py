"""The project's own files: the lock, the Makefile, the systemd unit."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from server.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def locked(name: str) -> dict[str, str]:
    """Package -> version."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_pins_hashes_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "--" not in text.replace("--hash=", "")


def test_the_locks_hold_what_the_project_asks_for_at_the_same_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    run, dev = (locked(name) for name in LOCKS)
    assert set(project["dependencies"]) <= run.keys()
    assert set(project["optional-dependencies"]["dev"]) <= dev.keys()
    assert run.items() <= dev.items()


def test_make_test_runs_the_linter_the_formatter_the_types_and_the_tests() -> None:
    plan = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for step in ("ruff check .", "ruff format --check .", "mypy --strict .", "pytest"):
        assert f"-m {step}" in plan


def test_the_unit_does_not_restart_what_a_restart_cannot_help() -> None:
    unit = (ROOT / "config/kerb.service").read_text()
    matched = re.search(r"^RestartPreventExitStatus=(.*)$", unit, re.MULTILINE)
    assert matched is not None
    hopeless = {ExitCode.CONFIG, ExitCode.JOURNAL_CORRUPT, ExitCode.DIVERGED, ExitCode.FOREIGN_JOURNAL}
    assert {int(code) for code in matched[1].split()} == hopeless
