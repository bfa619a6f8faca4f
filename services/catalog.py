"""The services: names, ports, and which one answers a public route. `load` imports only one app."""

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from libs.runtime.service import AnyService
from libs.wire.services import CHAT, GATEWAY, GROUP_MEMBERSHIP, RELAY, SESSION


@dataclass(frozen=True, slots=True)
class Entry:
    """A service. `port_offset` is its port's distance from the gateway's; `has_sockets` says that
    it is reached over a socket even when all services share a process."""

    name: str
    port_offset: int
    has_sockets: bool = False


CATALOG = (
    Entry(GATEWAY, 0, has_sockets=True),
    Entry(CHAT, 1),
    Entry(GROUP_MEMBERSHIP, 2),
    Entry(SESSION, 3),
    Entry(RELAY, 5, has_sockets=True),
)
NAMES = tuple(entry.name for entry in CATALOG)


@dataclass(frozen=True, slots=True)
class Route:
    """A public route that the gateway hands on. `open` ones need no access token; the requests of
    `in_batches` ones travel together."""

    method: str
    path: str
    service: str
    open: bool = False
    in_batches: bool = False


ROUTES = (
    Route("POST", "/v1/accounts", SESSION, open=True),
    Route("POST", "/v1/sessions", SESSION, open=True),
    Route("POST", "/v1/sessions/refresh", SESSION, open=True),
    Route("GET", "/v1/sessions", SESSION),
    Route("DELETE", "/v1/sessions", SESSION),
    Route("DELETE", "/v1/sessions/{session}", SESSION),
    Route("GET", "/v1/me", SESSION),
    Route("GET", "/v1/keys", SESSION, open=True),
    Route("POST", "/v1/channels", GROUP_MEMBERSHIP),
    Route("GET", "/v1/channels", GROUP_MEMBERSHIP),
    Route("GET", "/v1/channels/{channel}", GROUP_MEMBERSHIP),
    Route("PATCH", "/v1/channels/{channel}", GROUP_MEMBERSHIP),
    Route("GET", "/v1/me/channels", GROUP_MEMBERSHIP),
    Route("GET", "/v1/channels/{channel}/members", GROUP_MEMBERSHIP),
    Route("PUT", "/v1/channels/{channel}/members/me", GROUP_MEMBERSHIP),
    Route("DELETE", "/v1/channels/{channel}/members/me", GROUP_MEMBERSHIP),
    Route("PUT", "/v1/channels/{channel}/members/{user}", GROUP_MEMBERSHIP),
    Route("DELETE", "/v1/channels/{channel}/members/{user}", GROUP_MEMBERSHIP),
    Route("PUT", "/v1/channels/{channel}/bans/{user}", GROUP_MEMBERSHIP),
    Route("DELETE", "/v1/channels/{channel}/bans/{user}", GROUP_MEMBERSHIP),
    Route("POST", "/v1/channels/{channel}/messages", CHAT, in_batches=True),
)


def load(name: str) -> AnyService:
    """The service of that name. Raises `KeyError` for a name that is not in the catalog."""
    if name not in NAMES:
        raise KeyError(name)
    module = import_module(f"services.{name.replace('-', '_')}.app")
    return cast(AnyService, module.SERVICE)
