"""The services: names, ports, and which one answers a public route. `load` imports only one app."""

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from libs.runtime.service import AnyService


@dataclass(frozen=True, slots=True)
class Entry:
    """A service. `port_offset` is its port's distance from the gateway's; `has_sockets` says that
    it is reached over a socket even when all services share a process."""

    name: str
    port_offset: int
    has_sockets: bool = False


CATALOG = (
    Entry("gateway", 0, has_sockets=True),
    Entry("chat", 1),
    Entry("group-membership", 2),
    Entry("session", 3),
    Entry("relay", 5, has_sockets=True),
)
NAMES = tuple(entry.name for entry in CATALOG)


@dataclass(frozen=True, slots=True)
class Route:
    """A public route that the gateway hands on. `open` ones need no access token."""

    method: str
    path: str
    service: str
    open: bool = False


ROUTES = (
    Route("POST", "/v1/accounts", "session", open=True),
    Route("POST", "/v1/sessions", "session", open=True),
    Route("POST", "/v1/sessions/refresh", "session", open=True),
    Route("GET", "/v1/sessions", "session"),
    Route("DELETE", "/v1/sessions", "session"),
    Route("DELETE", "/v1/sessions/{session}", "session"),
    Route("GET", "/v1/me", "session"),
    Route("GET", "/v1/keys", "session", open=True),
    Route("POST", "/v1/channels", "group-membership"),
    Route("GET", "/v1/channels", "group-membership"),
    Route("GET", "/v1/channels/{channel}", "group-membership"),
    Route("GET", "/v1/me/channels", "group-membership"),
    Route("GET", "/v1/channels/{channel}/members", "group-membership"),
    Route("PUT", "/v1/channels/{channel}/members/me", "group-membership"),
    Route("DELETE", "/v1/channels/{channel}/members/me", "group-membership"),
    Route("PUT", "/v1/channels/{channel}/members/{user}", "group-membership"),
    Route("DELETE", "/v1/channels/{channel}/members/{user}", "group-membership"),
    Route("PUT", "/v1/channels/{channel}/bans/{user}", "group-membership"),
    Route("DELETE", "/v1/channels/{channel}/bans/{user}", "group-membership"),
    Route("POST", "/v1/channels/{channel}/messages", "chat"),
)


def load(name: str) -> AnyService:
    """The service of that name. Raises `KeyError` for a name that is not in the catalog."""
    if name not in NAMES:
        raise KeyError(name)
    module = import_module(f"services.{name.replace('-', '_')}.app")
    return cast(AnyService, module.SERVICE)
