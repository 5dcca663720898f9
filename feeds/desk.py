"""An account of a feed in the engine: sends its commands, lives with refusals, and does not fill the log with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from engine.apply import Applied
from engine.commands import AnyCommand, Envelope
from engine.kinds import Source
from engine.refusals import Refusal
from server.errors import Overloaded, ReadOnly, ShuttingDown

logger = logging.getLogger("kerb.feeds")

LOG_INTERVAL_US: Final = 60_000_000

Submit = Callable[[AnyCommand, Envelope], Applied]
"""`Runtime.submit`."""

Elapsed = Callable[[], int]
"""Microseconds of wall time since an arbitrary moment; never goes back (`WallClock.elapsed_us`)."""


class Desk:
    """Sends one account's commands. `account_id` 0 is the market itself, for marks.

    `send` never raises for a refusal, for overload or at a shutdown; it says what happened. A fault of the engine or
    of the journal passes through: the process is ending then.
    """

    __slots__ = (
        "_elapsed_us",
        "_envelope",
        "_logged_us",
        "_submit",
        "_unlogged",
        "closed",
        "name",
        "refused",
    )

    def __init__(
        self, name: str, submit: Submit, elapsed_us: Elapsed, *, account_id: int = 0, principal: int = 0
    ) -> None:
        self.name = name
        self.closed = False
        """The runtime has stopped: there is no use in sending more."""
        self.refused = 0
        self._submit = submit
        self._elapsed_us = elapsed_us
        self._envelope = Envelope(Source.FEED, principal, account_id)
        self._logged_us: int | None = None
        self._unlogged = 0

    def __repr__(self) -> str:
        return f"Desk({self.name}, account {self.account_id}, {self.refused} refused)"

    @property
    def account_id(self) -> int:
        """The account that the commands are for."""
        return self._envelope.account_id

    def send(self, command: AnyCommand) -> Refusal | str | None:
        """Applies a command. None: accepted; else the refusal, or the code of why it was not even looked at."""
        try:
            refused = self._submit(command, self._envelope).refused
        except (Overloaded, ReadOnly) as error:
            self._note(command, error.code)
            return error.code
        except ShuttingDown as error:
            self.closed = True
            return error.code
        if refused is None:
            return None
        self._note(command, refused.refusal.name)
        return refused.refusal

    def _note(self, command: AnyCommand, reason: str) -> None:
        """Counts a refusal; logs the newest at most once a minute."""
        self.refused += 1
        self._unlogged += 1
        now_us = self._elapsed_us()
        if self._logged_us is not None and now_us - self._logged_us < LOG_INTERVAL_US:
            return
        logger.warning(
            "%s: %d commands refused since the last such line, the newest a %s for %s: %s",
            self.name,
            self._unlogged,
            type(command).__name__,
            getattr(command, "symbol", "") or "the market",
            reason,
        )
        self._logged_us = now_us
        self._unlogged = 0
