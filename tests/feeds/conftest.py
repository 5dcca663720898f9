"""Where the recorded AIG day is, and tapes written by hand."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

MakeTape = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def aig_trades() -> Path:
    """The recorded trade tape of AIG, 2013-10-09; skips where it is not there."""
    return _recorded("aig_20131009_trade.zip")


@pytest.fixture(scope="session")
def aig_quotes() -> Path:
    """The recorded quote tape of AIG, 2013-10-09; skips where it is not there."""
    return _recorded("aig_20131009_quote.zip")


def _recorded(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"needs the recorded file ../shared/data/{name}, which is not there")
    return path


@pytest.fixture
def make_tape(tmp_path: Path) -> MakeTape:
    """Writes a zip with one CSV of the given text under the given file name."""

    def make(name: str, text: str) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("tick.csv", text)
        return path

    return make
