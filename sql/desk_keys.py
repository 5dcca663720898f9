"""Idempotency keys of the operators' desk (handlers/desk_keys.py). Parameters stand above each."""

from __future__ import annotations

from typing import Final

# seconds that a key lives
FORGET: Final = "DELETE FROM desk_keys WHERE at < now() - make_interval(secs => $1)"

# user id
COUNTED: Final = "SELECT count(*) FILTER (WHERE user_id = $1) AS mine, count(*) AS live FROM desk_keys"

# user id, key, digest. Waits for who is writing the same key; no row when that one was faster.
CLAIM: Final = """
INSERT INTO desk_keys (user_id, key, digest, status, answer) VALUES ($1, $2, $3, 0, '')
ON CONFLICT (user_id, key) DO NOTHING RETURNING 1
"""

# user id, key
KNOWN: Final = "SELECT digest, status, answer FROM desk_keys WHERE user_id = $1 AND key = $2"

# user id, key, status, answer
ANSWERED: Final = "UPDATE desk_keys SET status = $3, answer = $4 WHERE user_id = $1 AND key = $2"
