"""Exception of the shell → HTTP status: one table, total over `server.errors` (a test shows it)."""

from __future__ import annotations

from typing import Final

from server import errors

STATUSES: Final[dict[type[errors.KerbError], int]] = {
    errors.KerbError: 500,
    errors.BadRequest: 400,
    errors.Unauthenticated: 401,
    errors.TokenExpired: 401,
    errors.InvalidCredentials: 401,
    errors.Forbidden: 403,
    errors.AccountDisabled: 403,
    errors.ScopeMissing: 403,
    errors.DepositsClosed: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.LastOperator: 409,
    errors.EmailTaken: 409,
    errors.TooManyApiKeys: 409,
    errors.BodyTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.ExpectationFailed: 417,
    errors.RefusedAtBorder: 422,
    errors.WeakPassword: 422,
    errors.WrongPassword: 422,
    errors.ResetTokenInvalid: 422,
    errors.TooManyRequests: 429,
    errors.Overloaded: 503,
    errors.ReadOnly: 503,
    errors.ShuttingDown: 503,
    errors.DatabaseUnavailable: 503,
}


def status_of(error: errors.KerbError) -> int:
    """The HTTP status of an exception of the shell."""
    return STATUSES[type(error)]
