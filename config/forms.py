"""The forms of single values in the data files: symbols, names, wall times, bounds."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Symbol = Annotated[str, Meta(pattern="^[A-Z0-9][A-Z0-9.-]{0,15}$")]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
WallTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Moment = Annotated[
    str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$|^(opens|closes)([+-][0-9]{1,4})?$")
]
"""A wall time, or one by the day's own open or close: "closes-10" is ten minutes before it, on short days too."""
Orders = Annotated[int, Meta(ge=1, le=1_000)]
Bps = Annotated[int, Meta(ge=1, le=9_999)]
Ppm = Annotated[int, Meta(ge=0, le=100_000)]
