"""Errors that name a member, in the words of a dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from server.errors import BadRequest, RefusedAtBorder


@contextmanager
def in_other_words(words: Mapping[str, str]) -> Iterator[None]:
    """Errors raised within name a member as its dialect does: `words` is our name → theirs."""
    try:
        yield
    except (BadRequest, RefusedAtBorder) as error:
        ours = error.field
        theirs = words.get(ours) or ".".join(words.get(part, part) for part in ours.split("."))
        error.message = error.message.replace(ours, theirs, 1)
        error.details["field"] = error.field = theirs
        raise
