"""The listening TCP socket, prepared so that the kernel holds little of what slow clients have not read."""

from __future__ import annotations

import socket
from typing import Final

from config.settings import StreamSettings

BACKLOG: Final = 4_096
"""So many connections may wait to be accepted when thousands come back at once; a loop that serves the socket listens again
and has to be told so, or it takes 128 and each one that finds no room tries again a second later."""

_TCP_NOTSENT_LOWAT: Final = 25  # <netinet/tcp.h>; the socket module has no name for it before Python 3.12


def listening_socket(host: str, port: int, settings: StreamSettings) -> socket.socket:
    """A listening socket on `host`:`port` (0: any free port). Raises OSError when the address is taken.

    Accepted connections inherit SO_SNDBUF and TCP_NOTSENT_LOWAT: a client that does not read fills its
    buffers after some ten kilobytes, so that the fan-out notices and sends it only the newest state later.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.sndbuf_bytes)
        listener.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, settings.notsent_lowat_bytes)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
