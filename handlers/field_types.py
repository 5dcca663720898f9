"""Fields that several messages have, as types: their form stands here once, for the decoder and for the documents.

What is only written, never read, costs nothing by being typed so: an encoder does not look at it.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from engine.kinds import (
    AccountStatus,
    CloseReason,
    KillScope,
    LotMethod,
    OrderClass,
    OrderStatus,
    OrderType,
    Phase,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from server.principal import Role


class Confidential(Struct, frozen=True):
    """The base of messages that hold a secret: printed, they are only their name."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


PRINTABLE: Final = r"^[^\u0000-\u001f\u007f-\u009f]*$"
"""Text without control characters, as a JSON schema can say it; see `plain_text` for the rest."""

NOT_BLANK: Final = (
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0][^\u0000-\u001f\u007f-\u009f]*$"
)
"""The same with something in it that can be seen."""


def names(members: type[Enum], *without: Enum) -> dict[str, Any]:
    """A JSON schema of the names of an enum's members."""
    return {"enum": [member.name for member in members if member not in without]}


def _id(prefix: str) -> Meta:
    return Meta(pattern=f"^{prefix}_[1-9][0-9]{{0,18}}$")


UserId = Annotated[str, _id("usr")]
AccountId = Annotated[str, _id("acc")]
OrderId = Annotated[str, _id("ord")]
ExecutionId = Annotated[str, _id("exe")]
TradeId = Annotated[str, _id("trd")]
LotId = Annotated[str, _id("lot")]
TransactionId = Annotated[
    str, Meta(pattern="^(txn_[0-9]{1,19}(_fee)?|wdr_[1-9][0-9]{0,18})$", description="`txn_` or `wdr_`")
]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
TimeIn = Annotated[
    str,
    Meta(
        max_length=64,
        description="RFC 3339 with an offset, to the microsecond at most",
        extra_json_schema={"format": "date-time"},
    ),
]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]

SideName = Annotated[str, Meta(extra_json_schema=names(Side))]
OrderTypeName = Annotated[str, Meta(extra_json_schema=names(OrderType))]
TimeInForceName = Annotated[str, Meta(extra_json_schema=names(TimeInForce))]
OrderClassName = Annotated[str, Meta(extra_json_schema=names(OrderClass, OrderClass.SIMPLE))]
LotMethodName = Annotated[str, Meta(extra_json_schema=names(LotMethod))]
OrderStatusName = Annotated[str, Meta(extra_json_schema=names(OrderStatus))]
CloseReasonName = Annotated[str, Meta(extra_json_schema=names(CloseReason, CloseReason.NONE))]
SelfTradePreventionName = Annotated[str, Meta(extra_json_schema=names(SelfTradePrevention))]
LiquidityName = Annotated[str, Meta(extra_json_schema={"enum": ["MAKER", "TAKER"]})]
PhaseName = Annotated[str, Meta(extra_json_schema=names(Phase))]
AccountStatusName = Annotated[str, Meta(extra_json_schema=names(AccountStatus))]
KillScopeName = Annotated[str, Meta(extra_json_schema=names(KillScope))]
EntryName = Annotated[
    str,
    Meta(
        extra_json_schema={
            "enum": [
                *("DEPOSIT", "WITHDRAWAL", "BUY", "SELL", "FEE", "ADJUSTMENT", "BUST", "DIVIDEND"),
                *("CASH_IN_LIEU", "MERGER", "PARKING"),
            ]
        }
    ),
]
KycStatus = Annotated[str, Meta(extra_json_schema={"enum": ["PENDING", "VERIFIED", "REJECTED"]})]
RoleName = Annotated[str, Meta(extra_json_schema={"enum": [role.value for role in Role]})]
