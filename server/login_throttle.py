"""Guessing passwords gets slower: after some failures each further one doubles the wait, by account and by address.

An attempt is counted when it begins, so that many at once are no way round, and taken back when it succeeds. Accounts are
told apart by what was typed, whether such a user exists or not, so the answers give nothing away.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from server.errors import TooManyRequests

FORGET_S: Final = 3_600
"""After so long without a failure all is forgiven."""

KEYS_MAX: Final = 100_000
"""Accounts and addresses remembered, each; one more lets go of the one that was tried longest ago."""

EXPONENT_MAX: Final = 30


class _Failures(Struct):
    count: int
    last_s: float
    wait_until_s: float


class Failures:
    """The failures of one kind of key. `free` of them cost nothing; then 1 s, 2 s, 4 s … up to `wait_max_s`."""

    def __init__(
        self,
        *,
        free: int,
        wait_max_s: int,
        keys_max: int = KEYS_MAX,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = free
        self._wait_max_s = wait_max_s
        self._keys_max = keys_max
        self._clock_s = clock_s
        self._of: dict[str, _Failures] = {}

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._of)

    def wait_s(self, key: str) -> float:
        """For how long this key may not try; 0 when it may."""
        known = self._of.get(key)
        return 0.0 if known is None else max(0.0, known.wait_until_s - self._clock_s())

    def begin(self, key: str) -> None:
        """Count an attempt as failed until it turns out otherwise."""
        now_s = self._clock_s()
        known = self._of.pop(key, None)
        if known is None or now_s - known.last_s > FORGET_S:
            known = _Failures(0, now_s, 0.0)
        known.count += 1
        known.last_s = now_s
        over = known.count - self._free
        if over >= 0:
            known.wait_until_s = now_s + min(self._wait_max_s, 2 ** min(over, EXPONENT_MAX))
        while len(self._of) >= self._keys_max:
            del self._of[next(iter(self._of))]
        self._of[key] = known

    def take_back(self, key: str) -> None:
        """The attempt was no failure after all."""
        known = self._of.get(key)
        if known is None:
            return
        known.count -= 1
        known.wait_until_s = 0.0
        if known.count <= 0:
            del self._of[key]

    def forgive(self, key: str) -> None:
        """Forget what a key has done."""
        self._of.pop(key, None)


class LoginThrottle:
    """Decides whether a password may be tried."""

    def __init__(self, accounts: Failures, addresses: Failures) -> None:
        self.accounts = accounts
        self.addresses = addresses
        self.refused = 0

    def begin(self, account: str, address: str) -> None:
        """An attempt begins. Raises TooManyRequests, and then it is not counted."""
        account, address = _account_key(account), _address_key(address)
        wait_s = max(self.accounts.wait_s(account), self.addresses.wait_s(address))
        if wait_s > 0:
            self.refused += 1
            raise TooManyRequests(wait_s, "Too many failed attempts, wait before the next one.")
        self.accounts.begin(account)
        self.addresses.begin(address)

    def succeeded(self, account: str, address: str) -> None:
        """The password was right. The address is given back this attempt only, or one good account would hide many bad."""
        self.accounts.forgive(_account_key(account))
        self.addresses.take_back(_address_key(address))

    def accounts_forgive(self, account: str) -> None:
        """Its owner has proved to be who they are in another way."""
        self.accounts.forgive(_account_key(account))

    def undecided(self, account: str, address: str) -> None:
        """The password was not looked at, for want of a database or of room."""
        self.accounts.take_back(_account_key(account))
        self.addresses.take_back(_address_key(address))


def _account_key(text: str) -> str:
    """Of one length, so that long addresses cost no more memory."""
    return hashlib.blake2b(text.strip().lower().encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _address_key(text: str) -> str:
    """An IPv6 host has a whole /64 to choose from."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(address)
