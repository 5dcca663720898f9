"""What users say of themselves and prefer: ordinary rows of Postgres. Everything here raises DatabaseUnavailable."""

from __future__ import annotations

from server.database import Database
from sql.profiles import PREFERENCES, SET_PREFERENCES, SET_PROFILE


async def set_profile(database: Database, user_id: int, full_name: str, phone: str | None) -> None:
    """Replace a user's name and telephone number."""
    await database.execute(SET_PROFILE, user_id, full_name, phone)


async def preferences_of(database: Database, user_id: int) -> bytes | None:
    """A user's preferences as JSON; None before they are set."""
    row = await database.fetchrow(PREFERENCES, user_id)
    return None if row is None else row[0].encode()


async def set_preferences(database: Database, user_id: int, preferences: bytes) -> None:
    """Replace a user's preferences, JSON."""
    await database.execute(SET_PREFERENCES, user_id, preferences.decode())
