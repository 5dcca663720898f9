"""What a user has set for every device: typed, bounded, and kept as JSON."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from handlers.call import Call
from handlers.envelope import Answer, encoded, success
from handlers.field_types import PRINTABLE
from handlers.order_body import OrderTypeIn, TimeInForceIn, plain_text
from handlers.stocks import IntervalName
from server.errors import BadRequest
from server.market_types import Interval
from server.profiles import preferences_of
from server.profiles import set_preferences as keep

MORE_MAX: Final = 32
_PLAIN: Final = Meta(extra_json_schema={"pattern": PRINTABLE})

MoreName = Annotated[str, Meta(min_length=1, max_length=64), _PLAIN]
MoreValue = Annotated[str, Meta(max_length=256), _PLAIN]


class NotificationPreferences(Struct, frozen=True, forbid_unknown_fields=True):
    """What `GET /notifications` has: the stream tells everything, as all private streams do.

    `orders` are all kinds about orders, `deposits` money and shares that came or went as asked, `parking` what went as asked there.
    """

    orders: bool = True
    deposits: bool = True
    parking: bool = True
    price_alerts: bool = True
    news: bool = False


class PreferencesJson(Struct, frozen=True, forbid_unknown_fields=True):
    """A user's preferences; what is left out has its default. `more` is for clients: names and values of their own."""

    theme: Literal["SYSTEM", "LIGHT", "DARK"] = "SYSTEM"
    language: Annotated[str, Meta(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")] = "en"
    time_zone: Annotated[str, Meta(pattern="^[A-Za-z0-9_+/-]{1,64}$")] = "UTC"
    default_order_type: OrderTypeIn = "LIMIT"
    default_time_in_force: TimeInForceIn = "DAY"
    confirm_orders: bool = True
    chart_interval: IntervalName = Interval.MINUTE_1.value
    notifications: NotificationPreferences = NotificationPreferences()
    more: Annotated[dict[MoreName, MoreValue], Meta(max_length=MORE_MAX)] = {}


_decoder = msgspec.json.Decoder(PreferencesJson)


async def preferences(call: Call) -> Answer:
    """`GET /users/preferences`: the defaults until they are set."""
    return success(await kept_preferences(call))


async def kept_preferences(call: Call) -> PreferencesJson:
    """The caller's preferences. Raises DatabaseUnavailable."""
    kept = await preferences_of(call.services.database, call.principal.user_id)
    return PreferencesJson() if kept is None else _decoder.decode(kept)


async def set_preferences(call: Call) -> Answer:
    """`PUT /users/preferences`: replaces them all."""
    wanted = call.decode(_decoder)
    if wanted.chart_interval not in [interval.value for interval in Interval]:
        raise BadRequest("chart_interval", f"must be one of {', '.join(each.value for each in Interval)}")
    for name, value in wanted.more.items():
        plain_text(name, "more")
        plain_text(value, f"more.{name}")
    await keep(call.services.database, call.principal.user_id, encoded(wanted))
    return success(wanted)
