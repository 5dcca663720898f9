"""What the risk desk knows of customers: which accounts belong together, and how well each is known (KYC tier)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from engine.commands import LinkAccount, SetKycTier
from engine.risk_control import LINK_GROUP_MAX
from engine.risk_figures import KYC_TIER_MAX
from handlers.admin import Reason
from handlers.admin_risk import as_operator
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.field_types import PRINTABLE, AccountId, UserId
from handlers.order_body import plain_text
from handlers.orders import HIT
from handlers.request_input import read_id
from server.errors import NotFound
from server.kyc_tiers import set_tier as keep_tier

GroupIn = Annotated[str, Meta(max_length=LINK_GROUP_MAX), Meta(extra_json_schema={"pattern": PRINTABLE})]
Tier = Annotated[
    int, Meta(ge=0, le=KYC_TIER_MAX, description="0 not verified, 1 basic, 2 standard, 3 enhanced")
]


class LinkBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT /admin/users/{id}/link`: accounts with the same group belong together; '' is none."""

    group: GroupIn
    reason: Reason = ""


class TierBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`PUT /admin/users/{id}/kyc-tier`."""

    tier: Tier
    reason: Reason = ""


class LinkJson(Struct, frozen=True):
    """An account and its group, null for none."""

    user_id: UserId
    account_id: AccountId
    group: str | None


class TierJson(Struct, frozen=True):
    """A user and the KYC tier."""

    user_id: UserId
    account_id: AccountId
    tier: Tier


_link = msgspec.json.Decoder(LinkBody)
_tier = msgspec.json.Decoder(TierBody)


async def links(call: Call) -> Answer:
    """`GET /admin/risk/links`: every account that is in a group, by group."""
    runtime = call.services.runtime
    seq = runtime.state.seq
    linked = [account for account in runtime.state.accounts.values() if account.link_group]
    linked.sort(key=lambda account: (account.link_group, account.account_id))
    data = encoded(
        [LinkJson(f"usr_{each.user_id}", f"acc_{each.account_id}", each.link_group) for each in linked]
    )
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def set_link(call: Call) -> Answer:
    """`PUT /admin/users/{id}/link`: in force at once, also for orders that rest."""
    user_id, account_id = _account(call)
    body = call.decode(_link)
    group = plain_text(body.group, "group")
    applied = await as_operator(call, LinkAccount(account_id, group, plain_text(body.reason, "reason")))
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    done = LinkJson(f"usr_{user_id}", f"acc_{account_id}", group or None)
    return success_as_of(encoded(done), applied.seq, headers=HIT if applied.duplicate else None)


async def set_tier(call: Call) -> Answer:
    """`PUT /admin/users/{id}/kyc-tier`: the user's row first; what is not told to the engine then, the next start tells it."""
    user_id, account_id = _account(call)
    body = call.decode(_tier)
    plain_text(body.reason, "reason")
    await keep_tier(call.services.database, user_id, body.tier)
    applied = await as_operator(call, SetKycTier(account_id, body.tier))
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    done = TierJson(f"usr_{user_id}", f"acc_{account_id}", body.tier)
    return success_as_of(encoded(done), applied.seq, headers=HIT if applied.duplicate else None)


def _account(call: Call) -> tuple[int, int]:
    """The user that the path names, and the account. Raises NotFound."""
    user_id = read_id(call.path("user_id"), "usr_")
    account_id = call.services.runtime.state.account_by_user.get(user_id)
    if account_id is None:
        raise NotFound("There is no such user.")
    return user_id, account_id
