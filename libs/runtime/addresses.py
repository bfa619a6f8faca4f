"""Where services answer: one address a service behind DNS, several where there is no such thing.

`chat=http://127.0.0.1:8081 http://127.0.0.1:8181,relay=http://127.0.0.1:8085`: services are
separated by commas, the instances of one by spaces. A service that is not named has its usual port
on this machine.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from urllib.parse import urlsplit

Addresses = Mapping[str, tuple[str, ...]]

# How far the port of an instance's admin listener is above its own.
ADMIN_OFFSET = 1_000

RANK_BYTES = 8

_FORM = re.compile(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?")


def parse(text: str, usual: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Addresses by service; `usual` names all services. Raises `ValueError` with what to write."""
    found: dict[str, tuple[str, ...]] = {service: (address,) for service, address in usual.items()}
    for part in filter(None, (part.strip() for part in text.split(","))):
        service, _, listed = part.partition("=")
        addresses = tuple(listed.split())
        if service not in usual:
            raise ValueError(f"{service!r} is no service; there are {', '.join(usual)}")
        if not addresses or not all(map(_FORM.fullmatch, addresses)):
            raise ValueError(f"{part!r} is not of the form {service}=http://host:port")
        found[service] = addresses
    return found


def admin_address(address: str) -> str:
    """The admin listener of the instance that answers at `http://host:port`."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"http://{parts.hostname}:{port + ADMIN_OFFSET}"


def ranked(key: str, instances: Sequence[str]) -> list[str]:
    """The instances in the order in which `key` prefers them (rendezvous hashing): the same for
    everybody who knows the same ones, and one that comes or goes moves only its own keys."""
    return sorted(instances, key=lambda instance: _rank(key, instance), reverse=True)


def _rank(key: str, instance: str) -> bytes:
    return blake2b(f"{key}\0{instance}".encode(), digest_size=RANK_BYTES).digest()
