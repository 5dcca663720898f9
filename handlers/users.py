"""The caller's own profile."""

from __future__ import annotations

from msgspec import Struct

from handlers.call import Call
from handlers.envelope import Answer, success
from server.errors import NotFound


class ProfileJson(Struct, frozen=True):
    """Who the caller is. `account_id` is null until the account is open."""

    user_id: str
    account_id: str | None
    email: str
    full_name: str
    phone: str | None
    roles: tuple[str, ...]
    email_verified: bool
    kyc_status: str
    kyc_tier: int
    created_at: str
    last_login_at: str | None


async def profile(call: Call) -> Answer:
    """`GET /users/profile`."""
    principal = call.principal
    stored = await call.services.auth.profile(principal.user_id)
    if stored is None:
        raise NotFound
    account_id = call.services.runtime.state.account_by_user.get(principal.user_id)
    return success(
        ProfileJson(
            user_id=f"usr_{stored.user_id}",
            account_id=f"acc_{account_id}" if account_id else None,
            email=stored.email,
            full_name=stored.full_name,
            phone=stored.phone,
            roles=stored.roles,
            email_verified=stored.email_verified,
            kyc_status=stored.kyc_status,
            kyc_tier=stored.kyc_tier,
            created_at=stored.created_at.isoformat().replace("+00:00", "Z"),
            last_login_at=(
                stored.last_login_at.isoformat().replace("+00:00", "Z") if stored.last_login_at else None
            ),
        )
    )
