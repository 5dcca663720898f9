"""The statements of users' profiles and preferences. Parameters stand above each."""

from __future__ import annotations

from typing import Final

# user id, full name, phone
SET_PROFILE: Final = "UPDATE users SET full_name = $2, phone = $3 WHERE user_id = $1"

# user id
PREFERENCES: Final = "SELECT preferences::TEXT FROM user_preferences WHERE user_id = $1"

# user id, preferences (JSON text)
SET_PREFERENCES: Final = """
INSERT INTO user_preferences (user_id, preferences) VALUES ($1, $2::JSONB)
ON CONFLICT (user_id) DO UPDATE SET preferences = EXCLUDED.preferences, updated_at = now()
"""
