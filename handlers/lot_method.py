"""Which lots an account's sales take, where an order does not say (engine/lot_methods.py)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from engine.apply import Applied
from engine.commands import SetLotMethod
from engine.kinds import LotMethod
from handlers.call import Call
from handlers.envelope import Answer, encoded, refusal, success_as_of
from handlers.orders import HIT
from server.errors import NotFound

MethodIn = Literal["FIFO", "LIFO", "HIFO", "AVERAGE"]


class LotMethodJson(Struct, frozen=True, forbid_unknown_fields=True):
    """FIFO sells the oldest lots first, LIFO the newest, HIFO those that cost most, AVERAGE all at their average cost.

    The fifth, SPECIFIC, is for single orders, which then name their lots.
    """

    lot_method: Annotated[MethodIn, Meta(description="which lots a sale takes that does not say so itself")]


_decoder: Final = msgspec.json.Decoder(LotMethodJson)


async def lot_method(call: Call) -> Answer:
    """`GET /portfolio/lots/method`."""
    runtime = call.services.runtime
    account = runtime.state.accounts.get(call.principal.account_id)
    if account is None:
        raise NotFound
    seq = runtime.state.seq
    data = encoded({"lot_method": account.lot_method.name})
    await runtime.wait_durable(seq)
    return success_as_of(data, seq)


async def set_lot_method(call: Call) -> Answer:
    """`PUT /portfolio/lots/method`: for all sales from now on, those of open orders too."""
    wanted = call.decode(_decoder)
    return _answered(call, wanted, await call.execute(SetLotMethod(LotMethod[wanted.lot_method])))


def _answered(call: Call, wanted: LotMethodJson, applied: Applied) -> Answer:
    if applied.refused is not None:
        return refusal(applied.refused, call.request_id, duplicate=applied.duplicate)
    return success_as_of(encoded(wanted), applied.seq, headers=HIT if applied.duplicate else None)
