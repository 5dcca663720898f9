"""Records as CSV (RFC 4180), for spreadsheets: a text that one would take for a formula is one no more.

Source of the rule: https://owasp.org/www-community/attacks/CSV_Injection. Numbers are written as they are.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from msgspec import Raw, Struct
from msgspec.structs import astuple

from handlers.call import Call
from handlers.envelope import Answer

CSV: Final = "text/csv"
_FORMULA: Final = re.compile(r"[\s'\"]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_QUOTED: Final = re.compile(r"[\",\r\n]")


def accepts_csv(call: Call) -> bool:
    """Whether the client asks for CSV by its first choice; whoever takes anything gets JSON."""
    return call.headers.get("Accept", "").partition(",")[0].partition(";")[0].strip().lower() == CSV


async def csv_answer(kind: type[Struct], records: Callable[[], Iterable[Struct]], name: str) -> Answer:
    """A file of records of one kind, its columns their fields; made in a thread of its own. `name` is the file's."""
    body = await asyncio.to_thread(lambda: "".join(_lines(kind, records())).encode())
    return Answer(
        *(200, body, {"Content-Disposition": f'attachment; filename="{name}"'}, f"{CSV}; charset=utf-8")
    )


def _lines(kind: type[Struct], records: Iterable[Struct]) -> Iterator[str]:
    yield ",".join(kind.__struct_encode_fields__) + "\r\n"
    for record in records:
        yield ",".join(map(cell, astuple(record))) + "\r\n"


def cell(value: Any) -> str:
    """A field: a text, a number (also as JSON text), or None, which is empty."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, Raw):
        return bytes(value).decode()
    return "" if value is None else str(value)


def safe(text: str) -> str:
    """A text as a field. What a spreadsheet could run gets an apostrophe before it, and is quoted."""
    if _FORMULA.match(text):
        text = f"'{text}"
    elif not _QUOTED.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
