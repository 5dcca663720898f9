"""The command line as an operator uses it: what it prints and how it exits."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from server.data_folder import DataFolder
from server.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[1]


def kerb(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KERB_")}
    return subprocess.run(
        [sys.executable, "run.py", *arguments],
        cwd=ROOT,
        env=kept | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_config_prints_each_value_with_its_origin_and_no_secret() -> None:
    done = kerb("check-config", "--mode", "test", KERB_HTTP__PORT="9000")
    rows = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert done.returncode == ExitCode.OK
    assert [part.strip() for part in rows[0]] == ["setting", "value", "from"]
    assert ["http.port", "9000", "environment KERB_HTTP__PORT"] in [
        [part.strip() for part in row] for row in rows
    ]
    assert "a-published-secret" not in done.stdout


def test_check_config_prints_every_problem_and_exits_with_the_code_of_configuration() -> None:
    done = kerb("check-config", KERB_HTTP_PORT="1", KERB_HTTP__PORT="99999")
    assert done.returncode == ExitCode.CONFIG
    assert done.stderr.splitlines() == [
        "kerb: KERB_HTTP_PORT (environment): is not a setting; did you mean KERB_HTTP__PORT?",
        "kerb: http.port = '99999' (environment KERB_HTTP__PORT): must be a whole number from 0 to 65535",
    ]


def test_check_config_looks_at_the_market_as_a_start_does() -> None:
    for mode in ("demo", "production"):
        environ = {"KERB_MARKET__SYMBOLS": "AAPL,NOPE", "KERB_AUTH__JWT_SECRET": secrets.token_urlsafe(40)}
        done = kerb("check-config", "--mode", mode, **environ)
        assert (done.returncode, done.stdout) == (ExitCode.CONFIG, "")
        assert done.stderr == "kerb: market.symbols: NOPE is not in instruments.toml\n"
    done = kerb("check-config", "--mode", "demo", KERB_MARKET__FEED="no_such_day.zip")
    assert done.returncode == ExitCode.CONFIG
    assert done.stderr.startswith("kerb: market.feed = 'no_such_day.zip': ")


@pytest.mark.database
def test_migrate_brings_a_database_up_to_date_and_says_what_it_did(
    empty_database_dsn: str, tmp_path: Path
) -> None:
    environ = {"KERB_DATABASE_URL": empty_database_dsn, "KERB_DATA_DIR": str(tmp_path)}
    names = [path.name for path in sorted((ROOT / "sql/migrations").glob("*.sql"))]
    first = kerb("migrate", "--mode", "test", **environ)
    assert (first.returncode, first.stdout.splitlines()) == (
        ExitCode.OK,
        [f"applied {name}" for name in names],
    )
    assert kerb("migrate", "--mode", "test", **environ).stdout == "nothing to do, the schema is up to date\n"


def test_migrate_refuses_a_data_folder_that_a_running_kerb_holds(tmp_path: Path) -> None:
    with DataFolder.own(tmp_path):
        done = kerb("migrate", "--mode", "test", KERB_DATA_DIR=str(tmp_path))
    assert done.returncode == ExitCode.LOCKED
    assert f"process {os.getpid()}" in done.stderr


def test_migrate_says_that_the_database_cannot_be_reached() -> None:
    done = kerb("migrate", "--mode", "test", KERB_DATABASE_URL="postgresql://kerb@127.0.0.1:1/kerb")
    assert done.returncode == ExitCode.DATABASE
    assert "Traceback" not in done.stderr


def test_torture_says_where_there_are_no_tests(tmp_path: Path) -> None:
    shutil.copy(ROOT / "run.py", tmp_path)
    (tmp_path / "config").symlink_to(ROOT / "config")
    shutil.copytree(ROOT / "server", tmp_path / "server", ignore=shutil.ignore_patterns("__pycache__"))
    lacking = subprocess.run(
        [sys.executable, "run.py", "torture"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert lacking.returncode == ExitCode.CONFIG
    assert "there are no tests in" in lacking.stderr
