"""Where log lines go: to stderr, as text for people or as one JSON object a line for machines, without secrets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

import msgspec

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


def set_up_logging(settings: LogSettings) -> None:
    """Send every logger's lines to stderr, from this level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.format is LogFormat.JSON else TextLines(TEXT_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.value)
