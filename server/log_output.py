"""Where log lines go: to stderr, as text for people or as one JSON object a line for machines, without secrets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

import msgspec
from aiohttp.http_exceptions import HttpProcessingError

from config.settings import LogFormat, LogSettings
from server.redaction import redact

TEXT_FORMAT: Final = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"


class TextLines(logging.Formatter):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class JsonLines(logging.Formatter):
    """One line a record: time (UTC), level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = redact(self.formatException(record.exc_info))
        return msgspec.json.encode(line).decode()


class MalformedHttp(logging.Filter):
    """Drops what aiohttp says, with a traceback that quotes the input, of bytes that are no HTTP; counts it instead."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a client's mistake."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        self.count += 1
        return False


malformed_http: Final = MalformedHttp()
"""The one of this process: /metrics shows its count."""


def set_up_logging(settings: LogSettings) -> None:
    """Send every logger's lines to stderr, from this level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.format is LogFormat.JSON else TextLines(TEXT_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.value)
    logging.getLogger("aiohttp.server").addFilter(malformed_http)
