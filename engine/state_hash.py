"""One hash of the logical state: equal for the live, the recovered and the replayed engine."""

from __future__ import annotations

from hashlib import blake2b

from engine.aggregates import KINDS
from engine.state import State


def state_hash(state: State) -> str:
    """BLAKE2b over every aggregate's row, kinds and keys in order. Lazy heaps and link fields do not count;
    the order of each price level's queue does, through the orders' priorities."""
    digest = blake2b(digest_size=16)
    for name, kind in KINDS.items():
        for key in sorted(kind.keys(state)):
            digest.update(repr((name, key, kind.dump(state, key))).encode())
    return digest.hexdigest()
