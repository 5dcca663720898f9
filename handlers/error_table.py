"""Every error code that a client can meet: status, meaning, and whether the same call may work later. One table.

It is made from the engine's refusals and the exceptions of the shell, so nothing can be missing from it.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Final

from msgspec import Meta, Struct

from engine.refusals import RETRYABLE
from handlers.error_status import STATUSES
from handlers.refusal_status import REFUSALS
from handlers.ws_dispatch import UNKNOWN_ACTION, UNKNOWN_ACTION_MESSAGE
from handlers.ws_subscriptions import TooManySubscriptions, UnknownChannel
from server.errors import AccountDisabled, KerbError, RefusedAtBorder

_OF_THE_ENGINE: Final = (RefusedAtBorder, AccountDisabled)
"""They have the code of the refusal that they stand for."""

_STREAM_ONLY: Final = (UnknownChannel, TooManySubscriptions)


class ErrorRow(Struct, frozen=True):
    """An error code. `status` is null for what only the WebSocket says."""

    code: Annotated[str, Meta(pattern="^[A-Z0-9_]+$")]
    status: int | None
    status_in_path: Annotated[
        int | None, Meta(description="the status when what is refused was named in the URL")
    ]
    meaning: str
    retryable: Annotated[bool, Meta(description="whether the very same call may work later")]


@cache
def error_rows() -> tuple[ErrorRow, ...]:
    """The table, by code."""
    rows = [
        ErrorRow(refusal.name, shown.status, shown.status_in_path, shown.message, refusal in RETRYABLE)
        for refusal, shown in REFUSALS.items()
    ]
    rows += [
        ErrorRow(error.code, status, None, _meaning(error), error.retryable)
        for error, status in STATUSES.items()
        if error not in _OF_THE_ENGINE
    ]
    rows += [ErrorRow(error.code, None, None, _meaning(error), error.retryable) for error in _STREAM_ONLY]
    rows.append(ErrorRow(UNKNOWN_ACTION, None, None, UNKNOWN_ACTION_MESSAGE, False))
    return tuple(sorted(rows, key=lambda row: row.code))


def _meaning(error: type[KerbError]) -> str:
    if error is KerbError:
        return "A bug here; nothing is known about it but the request id."
    assert error.__doc__ is not None
    return " ".join(error.__doc__.split())
