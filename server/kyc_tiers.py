"""KYC tiers: the users' table has them, and the engine is told of each change, for a tier bounds what may be bought in a day.

A change is a row first and a command after it. What a crash left untold in between, the next start tells.
"""

from __future__ import annotations

from engine.commands import Envelope, SetKycTier
from engine.kinds import Source
from server.database import Database
from server.runtime import Runtime
from sql import users

BATCH_MAX = 1_000


async def set_tier(database: Database, user_id: int, tier: int) -> None:
    """Keep a user's tier; above 0 the user is verified. Raises DatabaseUnavailable."""
    await database.execute(users.SET_KYC_TIER, user_id, tier)


async def tell_engine(database: Database, runtime: Runtime) -> int:
    """Tell the engine every tier that it does not know; how many. Raises DatabaseUnavailable, and what `submit` raises."""
    last_id = 0
    state = runtime.state
    wrong = {account.account_id: 0 for account in state.accounts.values() if account.kyc_tier}
    while True:
        rows = await database.fetch(users.KYC_TIERS, last_id, BATCH_MAX)
        for row in rows:
            account_id = state.account_by_user.get(row["user_id"])
            if account_id is not None:
                wrong[account_id] = row["kyc_tier"]
                if state.accounts[account_id].kyc_tier == row["kyc_tier"]:
                    del wrong[account_id]
        if len(rows) < BATCH_MAX:
            break
        last_id = rows[-1]["user_id"]
    for account_id, tier in wrong.items():
        await runtime.execute(SetKycTier(account_id, tier), Envelope(Source.OUTBOX))
    return len(wrong)
