"""How Kerb sends e-mail: through an SMTP server, or, where none is configured, into files of the data folder.

smtplib blocks, so it runs in a thread of its own. What a message says is never logged: it may hold a token.
"""

from __future__ import annotations

import asyncio
import logging
import os
import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from config.settings import MailSettings

TIMEOUT_S: Final = 20.0
ATTEMPTS: Final = 3
RETRY_S: Final = 2.0
QUEUE_MAX: Final = 1_000
FILES_MAX: Final = 200

log = logging.getLogger("kerb.mail")


class Letter(Struct, frozen=True):
    """A message to one person, as plain text."""

    to: str
    subject: str
    text: str

    def __repr__(self) -> str:
        return f"Letter(subject={self.subject!r})"


class Mailer:
    """Sends letters in the background, in order. `deliver` blocks and raises OSError or SMTPException."""

    def __init__(self, deliver: Callable[[Letter], None], *, retry_s: float = RETRY_S) -> None:
        self._deliver = deliver
        self._retry_s = retry_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kerb-mail")
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.failed = 0
        self.is_failing = False

    def __repr__(self) -> str:
        return f"<Mailer sent={self.sent} failed={self.failed} waiting={len(self._tasks)}>"

    def send(self, letter: Letter) -> None:
        """Send a letter soon. It is dropped, and counted, when too many wait or the server keeps refusing."""
        if len(self._tasks) >= QUEUE_MAX:
            self.failed += 1
            log.error("a letter was dropped: %d wait already", QUEUE_MAX)
            return
        task = asyncio.get_running_loop().create_task(self._send(letter), name="mail")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Stop; what waits is dropped."""
        for task in self._tasks:
            task.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _send(self, letter: Letter) -> None:
        loop = asyncio.get_running_loop()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await loop.run_in_executor(self._thread, self._deliver, letter)
            except (OSError, smtplib.SMTPException) as error:
                # The error's text may quote the message, so only its kind is told.
                log.warning("e-mail attempt %d of %d failed: %s", attempt, ATTEMPTS, type(error).__name__)
                if attempt < ATTEMPTS:
                    await asyncio.sleep(self._retry_s * attempt)
            else:
                self.sent += 1
                self.is_failing = False
                return
        self.failed += 1
        self.is_failing = True


def make_mailer(settings: MailSettings, data_dir: Path) -> Mailer:
    """The mailer that config asks for."""
    if settings.smtp_url is None:
        return Mailer(lambda letter: write_file(letter, settings.sender, data_dir / "mail"))
    url = settings.smtp_url
    return Mailer(lambda letter: send_by_smtp(letter, settings.sender, url))


def message_of(letter: Letter, sender: str) -> EmailMessage:
    """The letter as RFC 5322 wants it. Raises ValueError for line ends in a header."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def send_by_smtp(letter: Letter, sender: str, url: str) -> None:
    """Hand a letter to an SMTP server: `smtps://` is TLS from the start, `smtp://` begins it with STARTTLS where that
    is offered; credentials are sent over TLS only. Raises OSError or SMTPException.
    """
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    context = ssl.create_default_context()
    connection: smtplib.SMTP
    if parts.scheme == "smtps":
        connection = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=context)
    else:
        connection = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_S)
    with connection:
        connection.ehlo()
        encrypted = parts.scheme == "smtps"
        if not encrypted and connection.has_extn("starttls"):
            connection.starttls(context=context)
            encrypted = True
        if parts.username is not None:
            if not encrypted:
                raise smtplib.SMTPNotSupportedError("the server offers no TLS for the credentials")
            connection.login(unquote(parts.username), unquote(parts.password or ""))
        connection.send_message(message_of(letter, sender))


def write_file(letter: Letter, sender: str, folder: Path) -> None:
    """Put a letter into a folder that only its owner can read; the newest `FILES_MAX` stay."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    message = message_of(letter, sender)
    name = str(message["Message-ID"]).strip("<>").partition("@")[0]
    unfinished = folder / f"{name}.unfinished"
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(bytes(message))
    unfinished.rename(folder / f"{name}.eml")  # whoever looks for letters finds whole ones only
    older = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)[:-FILES_MAX]
    for path in older:
        path.unlink(missing_ok=True)
