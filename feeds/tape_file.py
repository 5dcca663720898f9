"""Opens one recorded day of one symbol: a zip that holds one CSV, named `<symbol>_<yyyymmdd>_<trade|quote>.zip`."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

BLOCK_BYTES: Final = 1 << 20  # about 34 000 quote rows: a few ms of parsing, a few MB of columns
LINE_BYTES_MAX: Final = 4_096
EXCHANGE_ZONE: Final = ZoneInfo("America/New_York")

_NAME: Final = re.compile(
    r"(?P<symbol>[A-Za-z][A-Za-z0-9.-]{0,15})_(?P<day>\d{8})_(?P<kind>trade|quote)\.zip"
)


class TapeError(ValueError):
    """The file cannot be used as a whole: wrong name, missing, not a zip, damaged, not lines of text."""


class TapeName(msgspec.Struct, frozen=True):
    """What a tape's file name says. `midnight_us` is 00:00 of the day in New York, the zero of the rows' times."""

    path: Path
    symbol: str
    day: date
    kind: str
    midnight_us: int

    def sibling(self, kind: str) -> Path:
        """The same symbol's and day's file of the other kind, whether it exists or not."""
        return self.path.with_name(self.path.name.replace(f"_{self.kind}.zip", f"_{kind}.zip"))


def parse_name(path: Path) -> TapeName:
    """Reads symbol, day and kind from the file name; raises TapeError when it does not follow the pattern."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise TapeError(f"{path.name}: expected a name like aig_20131009_trade.zip")
    try:
        day = datetime.strptime(match["day"], "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise TapeError(f"{path.name}: {match['day']} is no calendar day") from None
    midnight = datetime.combine(day, time.min, tzinfo=EXCHANGE_ZONE)
    return TapeName(path, match["symbol"].upper(), day, match["kind"], int(midnight.timestamp()) * 1_000_000)


def blocks(path: Path, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yields the CSV's text in blocks of whole lines, every line ended by a newline; never the whole file at once.

    Raises TapeError when the file is missing, is not a zip of exactly one file, is damaged, or has a line that is
    longer than LINE_BYTES_MAX (which is then no CSV).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            if len(names) != 1:
                raise TapeError(f"{path.name}: expected one CSV inside, found {len(names)} files")
            with archive.open(names[0]) as stream:
                carry = b""
                while chunk := stream.read(block_bytes):
                    cut = chunk.rfind(b"\n") + 1
                    if cut:
                        yield carry + chunk[:cut]
                        carry = chunk[cut:]
                    else:
                        carry += chunk
                    if len(carry) > LINE_BYTES_MAX:
                        raise TapeError(f"{path.name}: a line is longer than {LINE_BYTES_MAX} bytes")
                if carry:
                    yield carry + b"\n"
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise TapeError(f"{path.name}: {error}") from error
