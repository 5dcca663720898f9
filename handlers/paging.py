"""`page=` over lists that are kept by cursor: pages near the beginning, for people; programs follow the cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from handlers.request_input import LIMIT_MAX
from server.errors import BadRequest
from server.history import Page

T = TypeVar("T")

DEPTH_MAX: Final = 10_000

After = Callable[[str | None, int], Awaitable[Page[T]]]
"""Reads so many items after a cursor (None: from the newest on)."""


async def nth_page(after: After[T], page: int, limit: int) -> Page[T]:
    """The page with this number, from 1. Raises BadRequest beyond the first DEPTH_MAX items."""
    if page * limit > DEPTH_MAX:
        raise BadRequest("page", f"goes beyond the first {DEPTH_MAX} items; follow meta.next_cursor instead")
    skip = (page - 1) * limit
    cursor: str | None = None
    while skip:
        skipped = await after(cursor, min(skip, LIMIT_MAX))
        if skipped.next_cursor is None:
            return Page([], None)
        cursor = skipped.next_cursor
        skip -= len(skipped.items)
    return await after(cursor, limit)
