"""Talks to systemd (sd_notify): ready, stopping, and the watchdog. Silent where there is no service manager."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """One datagram a message to `NOTIFY_SOCKET`; see sd_notify(3)."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        watchdog_us = environ.get("WATCHDOG_USEC", "0")
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(watchdog_us) / 1_000_000 if mine and watchdog_us.isdigit() else 0.0

    def ready(self, status: str) -> None:
        """The service is up."""
        self._send(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """A shutdown has begun."""
        self._send("STOPPING=1\nSTATUS=draining")

    def alive(self) -> None:
        """The event loop turns; to be sent at least twice in `watchdog_s`."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.connect(address)
            sender.send(message.encode())
