"""Orders that are tied to a connection: when it ends, for whatever reason, those still open are cancelled."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from engine.commands import CancelOrder, Envelope
from engine.kinds import Source
from server.errors import KerbError, ShuttingDown
from server.principal import Principal
from server.services import Services

log = logging.getLogger("kerb.ws")

FORGET_AT: Final = 1_024
"""With so many orders remembered, those that are closed by now are forgotten; then at twice as many as are left."""

CANCELS_A_TURN: Final = 200
"""So many are cancelled before others get their turn: about 5 ms."""


class TiedOrders:
    """What one connection has placed while `is_on`. Cancels are commands like any other: journalled, told, durable."""

    __slots__ = (
        "_account_id",
        "_connection_id",
        "_has_ended",
        "_ids",
        "_limit",
        "_services",
        "_user_id",
        "is_on",
    )

    def __init__(self, services: Services, principal: Principal, connection_id: str) -> None:
        self._services = services
        self._user_id = principal.user_id
        self._account_id = principal.account_id
        self._connection_id = connection_id
        self._ids: dict[int, None] = {}
        self._limit = FORGET_AT
        self._has_ended = False
        self.is_on = True

    def __len__(self) -> int:
        return len(self._ids)

    def check(self) -> None:
        """Raises ShuttingDown when the connection has ended: an order placed now would stay behind."""
        if self._has_ended:
            raise ShuttingDown

    def add(self, order_id: int) -> None:
        """An order that has just been accepted and rests in the book."""
        self._ids[order_id] = None
        if len(self._ids) >= self._limit:
            self._ids = dict.fromkeys(self._open())
            self._limit = max(FORGET_AT, 2 * len(self._ids))

    def _open(self) -> list[int]:
        account = self._services.runtime.state.accounts.get(self._account_id)
        return [] if account is None else [order_id for order_id in self._ids if order_id in account.orders]

    def end(self) -> None:
        """The connection has ended: cancel in the next turn of the loop, for this may be called while records are told."""
        self._has_ended = True
        if self._ids:
            self._services.hub.ending(self)
            asyncio.get_running_loop().call_soon(self._cancel_some)

    def _cancel_some(self) -> None:
        open_ids = self._open()
        for order_id in open_ids[:CANCELS_A_TURN]:
            envelope = Envelope(
                Source.WEBSOCKET, self._user_id, self._account_id, f"{self._connection_id}.end"
            )
            try:
                self._services.runtime.submit(CancelOrder(order_id), envelope)
            except KerbError as refused:
                log.warning("%d orders of %s stay open: %s", len(open_ids), self._connection_id, refused.code)
                open_ids = []
                break
        if len(open_ids) > CANCELS_A_TURN:
            asyncio.get_running_loop().call_soon(self._cancel_some)
        else:
            self._ids.clear()
            self._services.hub.ended(self)
