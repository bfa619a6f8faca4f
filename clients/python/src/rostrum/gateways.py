"""Which of several gateways is asked."""

from collections.abc import Sequence
from urllib.parse import urlsplit

SCHEMES = ("http", "https")


class Gateways:
    """Addresses in a circle. All clients of a program begin with the first one that it names: to
    spread clients over gateways, name them in another order each time."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Raises `ValueError` for what is no address of a gateway."""
        if not urls:
            raise ValueError("name the address of at least one gateway, as http://localhost:8080")
        self._urls = [_checked(url) for url in urls]
        self._at = 0

    def current(self) -> str:
        """The one that is asked now."""
        return self._urls[self._at]

    def leave(self, gateway: str) -> None:
        """Ask the next one, if that one is still the current: many may find out at once."""
        if gateway == self.current():
            self._at = (self._at + 1) % len(self._urls)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    is_plain = not (parts.query or parts.fragment or parts.username)
    if parts.scheme not in SCHEMES or not parts.hostname or not is_plain:
        raise ValueError(f"{url!r} is no address of a gateway; write it as http://localhost:8080")
    return url.rstrip("/")
