"""Which errors a route can answer with: what its row in the table implies, and what its documentation adds."""

from __future__ import annotations

from engine.refusals import Refusal
from handlers.error_status import STATUSES
from handlers.openapi_doc import Doc
from handlers.refusal_status import status_of_refusal
from handlers.routing import Route
from server.errors import (
    AccountDisabled,
    BadRequest,
    BodyTooLarge,
    DatabaseUnavailable,
    Forbidden,
    KerbError,
    Overloaded,
    ReadOnly,
    ScopeMissing,
    ShuttingDown,
    TokenExpired,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)
from server.rate_limits import LimitClass

KEYED: tuple[Refusal, ...] = (Refusal.IDEMPOTENCY_KEY_REUSED, Refusal.IDEMPOTENCY_CAPACITY)
COMMAND: tuple[Refusal, ...] = (*KEYED, Refusal.ENGINE_FAULT)
WITHOUT_BODY = frozenset({"GET", "HEAD"})


def error_codes(route: Route, doc: Doc) -> dict[int, tuple[str, ...]]:
    """Status → the codes that come with it, both in order. A 500 is a bug and belongs to no route."""
    found: dict[int, dict[str, None]] = {}
    for error in (*_implied(route, doc), *doc.errors):
        found.setdefault(STATUSES[error], {})[error.code] = None
    implied = COMMAND if doc.command else KEYED if doc.keyed else ()
    for refusal in (*implied, *doc.refusals):
        found.setdefault(status_of_refusal(refusal, in_path=doc.in_path), {})[refusal.name] = None
    return {status: tuple(found[status]) for status in sorted(found)}


def _implied(route: Route, doc: Doc) -> list[type[KerbError]]:
    errors: list[type[KerbError]] = []
    takes_body = route.method not in WITHOUT_BODY
    if doc.query or doc.command or takes_body:
        errors.append(BadRequest)
    if takes_body:
        errors += [BodyTooLarge, UnsupportedMediaType]
    if route.policy:
        errors += [Unauthenticated, TokenExpired, Forbidden, AccountDisabled, ScopeMissing]
    if route.limit is not LimitClass.NONE:
        errors.append(TooManyRequests)
    if doc.command:
        errors += [Overloaded, ReadOnly, ShuttingDown]
    if doc.database:
        errors.append(DatabaseUnavailable)
    return errors
