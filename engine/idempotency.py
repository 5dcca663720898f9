"""Idempotency keys and client order ids: what was answered once is answered again, for a day.

Source: API.md, "Conventions". Keys belong to the user who sent them.
"""

from __future__ import annotations

from engine.commands import Envelope
from engine.events import AnyEvent, Refused
from engine.refusals import Refusal
from engine.state import KeyRecord, State
from engine.turn import Turn


def known_key(state: State, envelope: Envelope, now_us: int) -> KeyRecord | None:
    """What this key answered before, if that is still remembered."""
    record = state.keys.get((envelope.principal, envelope.key))
    if record is not None and record.created_us + state.limits.key_ttl_us > now_us:
        return record
    return None


def capacity_refusal(state: State, envelope: Envelope, now_us: int) -> Refused | None:
    """Whether there is room for one more key, of this user and in all. Such a refusal consumes no key."""
    limits = state.limits
    mine = state.keys_by_principal.get(envelope.principal, 0)
    live = len(state.keys)
    if mine < limits.keys_per_user_max and live < limits.keys_max:
        return None
    expiry_us = now_us - limits.key_ttl_us
    for record in state.keys.values():  # oldest first: those that the next purge will forget do not count
        if record.created_us > expiry_us:
            break
        live -= 1
        if record.principal == envelope.principal:
            mine -= 1
    if mine < limits.keys_per_user_max and live < limits.keys_max:
        return None
    return Refused(Refusal.IDEMPOTENCY_CAPACITY, (("keys_per_user_max", limits.keys_per_user_max),))


def remember(turn: Turn, envelope: Envelope, answer: tuple[AnyEvent, ...]) -> None:
    """Keep what this key was answered."""
    state = turn.state
    key = (envelope.principal, envelope.key)
    state.keys[key] = KeyRecord(
        envelope.principal, envelope.key, envelope.digest, turn.seq, turn.now_us, answer
    )
    state.keys_by_principal[envelope.principal] = state.keys_by_principal.get(envelope.principal, 0) + 1
    state.dirty["key"][key] = None


def purge(state: State, now_us: int) -> None:
    """Forget the keys and closed client order ids whose day is over, and say when the next one's will be.

    Part of every recorded command from `state.purge_due_us` on: before that there is nothing to forget.
    """
    ttl_us = state.limits.key_ttl_us
    expiry_us = now_us - ttl_us
    due_us = now_us + ttl_us
    keys = state.keys
    while keys:
        key, record = next(iter(keys.items()))
        if record.created_us > expiry_us:
            due_us = record.created_us + ttl_us
            break
        del keys[key]
        left = state.keys_by_principal[record.principal] - 1
        if left:
            state.keys_by_principal[record.principal] = left
        else:
            del state.keys_by_principal[record.principal]
        state.dirty["key"][key] = None
    closed = state.client_order_ids_closed
    while closed:
        closed_key, closed_record = next(iter(closed.items()))
        if closed_record.closed_us > expiry_us:
            due_us = min(due_us, closed_record.closed_us + ttl_us)
            break
        del closed[closed_key], state.client_order_ids[closed_key]
        state.dirty["client_order_id"][closed_key] = None
    state.purge_due_us = due_us
