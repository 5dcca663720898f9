"""Access tokens: short-lived JSON Web Tokens (HS256), and a memory of those that were verified.

A token says who (`sub`), in which session (`sid`), with which roles, and for which account (`acc`). A verified
token is found again by its text: a dict look-up and a comparison of its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from server.errors import TokenExpired, Unauthenticated
from server.principal import Principal, Role
from server.standing import Standing

ALGORITHM: Final = "HS256"
ISSUER: Final = "kerb"
TOKEN_LENGTH_MAX: Final = 4_096
_FORGED: Final = "The access token is not valid."


class AccessTokens:
    """Issues and verifies access tokens. A revoked session's tokens are refused from that moment on."""

    __slots__ = (
        "_cache",
        "_cache_max",
        "_clock_s",
        "_cut_off",
        "_key",
        "_revoked",
        "_standing",
        "_tokens_of_session",
        "_ttl_s",
        "hits",
        "misses",
    )

    def __init__(
        self,
        secret: str,
        *,
        ttl_s: int,
        cache_max: int,
        clock_s: Callable[[], float] = time.time,
        standing: Standing | None = None,
    ) -> None:
        self._key = OctKey.import_key(secret)
        self._ttl_s = ttl_s
        self._cache_max = cache_max
        self._clock_s = clock_s
        self._standing = standing
        self._cache: dict[str, Principal] = {}
        self._tokens_of_session: dict[int, list[str]] = {}
        self._revoked: dict[int, float] = {}
        self._cut_off: dict[int, tuple[float, int]] = {}  # user → not before, and the session that is spared
        self.hits = 0
        self.misses = 0

    def __repr__(self) -> str:
        return f"<AccessTokens cached={len(self._cache)} revoked={len(self._revoked)}>"

    @property
    def session_count(self) -> int:
        """Sessions of which a verified token is remembered."""
        return len(self._tokens_of_session)

    @property
    def ttl_s(self) -> int:
        """Seconds that a token lives."""
        return self._ttl_s

    def issue(
        self, *, user_id: int, account_id: int, roles: frozenset[Role], session_id: int, premium: bool
    ) -> str:
        """A new token for a session."""
        now_s = int(self._clock_s())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": str(user_id),
            "sid": session_id,
            "acc": account_id,
            "roles": sorted(roles),
            "iat": now_s,
            "exp": now_s + self._ttl_s,
        }
        if premium:
            claims["premium"] = True
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def verify(self, token: str) -> Principal:
        """Who the token stands for. Raises TokenExpired, AccountDisabled, or Unauthenticated for all else that is wrong."""
        principal = self._cache.get(token)
        if principal is not None and self._clock_s() < principal.expires_s:
            self.hits += 1
            return principal
        self.misses += 1
        return self._verify_anew(token)

    def revoke(self, session_id: int) -> None:
        """Refuse every token of a session from now on."""
        now_s = self._clock_s()
        self._revoked[session_id] = now_s + self._ttl_s
        for token in self._tokens_of_session.pop(session_id, ()):
            self._cache.pop(token, None)
        if len(self._revoked) > self._cache_max:
            self._revoked = {known: end_s for known, end_s in self._revoked.items() if end_s > now_s}

    def revoke_user(self, user_id: int, *, except_session: int) -> list[int]:
        """Refuse every token of a user that was issued until now, but for one session; the sessions known to have one.

        For when the sessions themselves cannot be looked up; it ends with the tokens that it is against.
        """
        now_s = self._clock_s()
        self._cut_off[user_id] = (now_s, except_session)
        if len(self._cut_off) > self._cache_max:
            oldest_s = now_s - self._ttl_s
            self._cut_off = {user: cut for user, cut in self._cut_off.items() if cut[0] > oldest_s}
        sessions = [each for each in self._sessions_of(user_id) if each != except_session]
        for session_id in sessions:
            self.revoke(session_id)
        return sessions

    def verify_again(self, user_id: int) -> None:
        """Remember none of a user's tokens: what they are good for has changed."""
        for session_id in self._sessions_of(user_id):
            for token in self._tokens_of_session.pop(session_id):
                self._cache.pop(token, None)

    def _sessions_of(self, user_id: int) -> list[int]:
        return [each for each in self._tokens_of_session if self.owner_of(each) == user_id]

    def owner_of(self, session_id: int) -> int | None:
        """Whose session it is, when one of its tokens is remembered; else None."""
        for token in self._tokens_of_session.get(session_id, ()):
            return self._cache[token].user_id
        return None

    def is_revoked(self, session_id: int) -> bool:
        """Whether the session was revoked while one of its tokens may still be alive."""
        return session_id in self._revoked

    def _verify_anew(self, token: str) -> Principal:
        if len(token) > TOKEN_LENGTH_MAX:
            raise Unauthenticated(_FORGED)
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError):
            raise Unauthenticated(_FORGED) from None
        principal = _principal(claims)
        if principal is None or claims.get("iss") != ISSUER:
            raise Unauthenticated(_FORGED)
        if self._clock_s() >= principal.expires_s:
            self._forget(token, principal.session_id)
            raise TokenExpired
        if self._standing is not None:
            self._standing.check(principal)
        if principal.session_id in self._revoked or self._is_cut_off(principal):
            raise Unauthenticated("The session has ended. Sign in again.")
        self._remember(token, principal)
        return principal

    def _is_cut_off(self, principal: Principal) -> bool:
        cut_off_s, spared = self._cut_off.get(principal.user_id, (0.0, 0))
        return principal.session_id != spared and principal.expires_s - self._ttl_s <= cut_off_s

    def _remember(self, token: str, principal: Principal) -> None:
        if len(self._cache) >= self._cache_max:
            oldest = next(iter(self._cache))
            self._forget(oldest, self._cache[oldest].session_id)
        self._cache[token] = principal
        self._tokens_of_session.setdefault(principal.session_id, []).append(token)

    def _forget(self, token: str, session_id: int) -> None:
        self._cache.pop(token, None)
        tokens = self._tokens_of_session.get(session_id)
        if tokens is not None and token in tokens:
            tokens.remove(token)
            if not tokens:
                del self._tokens_of_session[session_id]


def _principal(claims: dict[str, Any]) -> Principal | None:
    """The claims as a principal; None when one is missing or of the wrong type."""
    try:
        return Principal(
            user_id=int(claims["sub"]),
            account_id=int(claims["acc"]),
            roles=frozenset(Role(role) for role in claims["roles"]),
            session_id=int(claims["sid"]),
            expires_s=int(claims["exp"]),
            premium=claims.get("premium") is True,
        )
    except (KeyError, TypeError, ValueError):
        return None
