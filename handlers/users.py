"""The caller's own profile."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from handlers.auth import FullName, Phone, check_profile
from handlers.call import Call
from handlers.envelope import Answer, success
from handlers.field_types import AccountId, Confidential, KycStatus, RoleName, Time, UserId
from server.errors import NotFound
from server.profiles import set_profile as keep


class ProfileJson(Struct, frozen=True):
    """Who the caller is. `account_id` is null until the account is open."""

    user_id: UserId
    account_id: AccountId | None
    email: str
    full_name: str
    phone: str | None
    roles: tuple[RoleName, ...]
    email_verified: bool
    kyc_status: KycStatus
    kyc_tier: int
    created_at: Time
    last_login_at: Time | None


class ProfileBody(Confidential, frozen=True, forbid_unknown_fields=True):
    """`PUT /users/profile`: replaces both; without `phone` there is none."""

    full_name: FullName
    phone: Phone | None = None


_body = msgspec.json.Decoder(ProfileBody)


async def set_profile(call: Call) -> Answer:
    """`PUT /users/profile`: the profile as it is then."""
    body = call.decode(_body)
    check_profile(body.full_name, body.phone)
    await keep(call.services.database, call.principal.user_id, body.full_name, body.phone)
    return await profile(call)


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
