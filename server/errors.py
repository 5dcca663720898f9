"""The exceptions of the shell: what the world outside the engine can answer, each with its stable code.

Refusals of the engine are values and have their own table (engine/refusals.py). These are for what is
decided before the engine is asked: wrong input, missing credentials, overload, a dependency that is away.
handlers/error_status.py gives each its HTTP status.
"""

from __future__ import annotations

from typing import Any, ClassVar

from engine.refusals import Refusal

Detail = str | int | float | bool | None


class KerbError(Exception):
    """The base. `code` is what clients see; `retry_after_s` says when it may work, where that is known."""

    code: ClassVar[str] = "INTERNAL"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        details: dict[str, Detail] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = {**details} if details else {}
        self.retry_after_s = retry_after_s


# -- the system cannot take it now


class Overloaded(KerbError):
    """Too much work is queued. Nothing was touched; the same call may be repeated."""

    code = "OVERLOADED"
    retryable = True

    def __init__(
        self, retry_after_s: float = 1.0, message: str = "The server is overloaded, try again."
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class ReadOnly(KerbError):
    """Kerb takes no commands: the backlog's hard limit, or a batch that Postgres refused."""

    code = "READ_ONLY"
    retryable = True

    def __init__(self, message: str = "The server is read-only now.", retry_after_s: float = 30.0) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class ShuttingDown(KerbError):
    """A shutdown has begun: no new commands."""

    code = "SHUTTING_DOWN"
    retryable = True

    def __init__(
        self, message: str = "The server is shutting down, try again.", retry_after_s: float = 5.0
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class DatabaseUnavailable(KerbError):
    """Postgres does not answer, or the write-behind has not caught up in time."""

    code = "DATABASE_UNAVAILABLE"
    retryable = True

    def __init__(
        self, retry_after_s: float = 2.0, message: str = "The database does not answer, try again."
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class TooManyRequests(KerbError):
    """A rate limit is used up. Nothing was touched, no idempotency key consumed."""

    code = "RATE_LIMITED"
    retryable = True

    def __init__(self, retry_after_s: float, message: str = "Too many requests, slow down.") -> None:
        super().__init__(message, retry_after_s=retry_after_s)


# -- what was sent is wrong


class BadRequest(KerbError):
    """Not JSON, or of the wrong shape. `field` names the member, parameter or header."""

    code = "BAD_REQUEST"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem, details={"field": field})
        self.field = field
        self.problem = problem


class RefusedAtBorder(KerbError):
    """Well formed, but it cannot be expressed in the engine's units, so the engine's own refusal applies."""

    def __init__(self, refusal: Refusal, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem, details={"field": field})
        self.refusal = refusal
        self.field = field


class BodyTooLarge(KerbError):
    """The body is longer than the limit."""

    code = "BODY_TOO_LARGE"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__("The body is too large.", details={"limit_bytes": limit_bytes})


class ExpectationFailed(KerbError):
    """The header Expect asks for something else than `100-continue` (RFC 9110, 10.1.1)."""

    code = "EXPECTATION_FAILED"

    def __init__(self) -> None:
        super().__init__("Expect: only 100-continue can be met.", details={"field": "Expect"})


class UnsupportedMediaType(KerbError):
    """The body is not declared as JSON, or is compressed."""

    code = "UNSUPPORTED_MEDIA_TYPE"

    def __init__(self, message: str = "Send the body as application/json.") -> None:
        super().__init__(message)


# -- who is asking


class Unauthenticated(KerbError):
    """No credentials, or such as are forged, expired or revoked. The message never says which account exists."""

    code = "UNAUTHENTICATED"

    def __init__(self, message: str = "Sign in first.") -> None:
        super().__init__(message)


class TokenExpired(Unauthenticated):
    """The access token was good and is too old: refresh it."""

    code = "TOKEN_EXPIRED"

    def __init__(self) -> None:
        super().__init__("The access token has expired.")


class InvalidCredentials(Unauthenticated):
    """The e-mail address or the password is wrong; the same answer for both."""

    code = "INVALID_CREDENTIALS"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class Forbidden(KerbError):
    """Known, but not allowed."""

    code = "FORBIDDEN"

    def __init__(self, message: str = "You are not allowed to do this.") -> None:
        super().__init__(message)


class AccountDisabled(Forbidden):
    """An operator has disabled the user: no sign-in, no token and no key is good until it is enabled again."""

    code = "ACCOUNT_DISABLED"

    def __init__(self) -> None:
        super().__init__("The account is disabled.")


class ScopeMissing(KerbError):
    """The API key was not made for this: it lacks the scope, or only a signed-in session may do it."""

    code = "SCOPE_MISSING"

    def __init__(self, scope: str | None) -> None:
        super().__init__("This API key may not do this.", details={"scope": scope})


class WeakPassword(KerbError):
    """The password is one that everybody tries first."""

    code = "WEAK_PASSWORD"

    def __init__(self, problem: str) -> None:
        super().__init__(f"The password {problem}.", details={"field": "password"})


class WrongPassword(KerbError):
    """The present password, asked for again, is wrong; the session goes on."""

    code = "WRONG_PASSWORD"

    def __init__(self) -> None:
        super().__init__("The present password is wrong.", details={"field": "current_password"})


class ResetTokenInvalid(KerbError):
    """The token of a password reset is unknown, used, or too old."""

    code = "RESET_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("This link has been used or is too old. Ask for a new one.")


class DepositsClosed(KerbError):
    """Real money comes in through a payment gateway, and none is connected."""

    code = "DEPOSITS_CLOSED"

    def __init__(self) -> None:
        super().__init__("Deposits are not open here.")


# -- what is asked for


class NotFound(KerbError):
    """It does not exist, or it is somebody else's: the same answer."""

    code = "NOT_FOUND"

    def __init__(self, message: str = "There is no such thing here.") -> None:
        super().__init__(message)


class MethodNotAllowed(KerbError):
    """The path exists, the method does not."""

    code = "METHOD_NOT_ALLOWED"

    def __init__(self, allowed: str) -> None:
        super().__init__("This path does not take that method.", details={"allowed": allowed})
        self.allowed = allowed


class Conflict(KerbError):
    """The state does not allow it."""

    code = "CONFLICT"


class LastOperator(Conflict):
    """Nobody with the role `admin` would be left who can sign in. Give the role to another user first."""

    code = "LAST_OPERATOR"

    def __init__(self) -> None:
        super().__init__("This is the last operator. Give another user the role `admin` first.")


class EmailTaken(Conflict):
    """A user with this e-mail address exists. Registration has to say so; it is limited by address."""

    code = "EMAIL_TAKEN"

    def __init__(self) -> None:
        super().__init__("A user with this e-mail address exists already.")


class TooManyApiKeys(Conflict):
    """A user may have so many live API keys; revoke one first."""

    code = "TOO_MANY_API_KEYS"

    def __init__(self, limit: int) -> None:
        super().__init__("There are too many API keys already.", details={"limit": limit})
