"""Where a deployment is: what a command is told by its options, and by the services' variables.

A command names what it needs, `@address(GATEWAY, LOG)`, and is given a `Where`. Options count more
than variables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from libs.runtime.addresses import Addresses, parse
from libs.runtime.settings import (
    CommandSettings,
    SettingsFault,
    environment,
    is_embedded,
    load,
    log_url,
    variable,
)
from services.catalog import CATALOG, NAMES

F = TypeVar("F", bound=Callable[..., Any])
# Options by the field that they set; None: not given.
Told = Mapping[str, str | None]

# Fields of `CommandSettings` by what a command needs.
URL = ("url",)
GATEWAY = (*URL, "token", "sessions")
LOG = ("log_url", "data")
DATA = ("data",)
STORE = ("store_url",)
SERVICES = ("addresses",)

FLAGS = {
    "url": ("--url", "Address of a gateway."),
    "token": (
        "--token",
        "Access token. Others on the machine see it here, in the variable they do not.",
    ),
    "sessions": ("--sessions", "File of the sessions that were signed in."),
    "log_url": ("--log", "The log: sqlite:///path or kafka://host:port."),
    "data": ("--data", "Folder of the embedded log and of the secrets."),
    "store_url": ("--redis", "Redis of the views: redis://host:port/0."),
    "addresses": ("--addresses", "Where services answer: chat=http://host:port,..."),
}


@dataclass(frozen=True)
class Where:
    """A deployment as the command line and the environment describe it."""

    settings: CommandSettings

    @property
    def url(self) -> str:
        """The gateway: `http://host:port`, without a slash at its end."""
        own = self.settings
        host = "127.0.0.1" if own.host in {"", "0.0.0.0", "::"} else own.host
        return own.url.rstrip("/") or f"http://{host}:{own.port}"

    @property
    def token(self) -> str | None:
        """The access token that was given."""
        return self.settings.token or None

    @property
    def sessions(self) -> Path:
        """The file of the sessions that commands keep."""
        return self.settings.sessions.expanduser()

    @property
    def log_url(self) -> str:
        """The log, with the embedded default filled in."""
        return log_url(self.settings)

    @property
    def is_embedded(self) -> bool:
        """Whether the log is a file of one process, whose Redis nobody else can see."""
        return is_embedded(self.settings)

    @property
    def store_url(self) -> str:
        """Redis; empty: inside of the process."""
        return self.settings.store_url

    @property
    def secrets(self) -> Path:
        """The folder of the deployment's keys."""
        return self.settings.data / "secrets"

    @property
    def addresses(self) -> Addresses:
        """Of each service its instances. One that is not named has its usual port beside the
        gateway's. Raises `click.UsageError`."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        home = f"{parts.scheme}://{parts.hostname}"
        usual = {entry.name: f"{home}:{port + entry.port_offset}" for entry in CATALOG}
        try:
            return parse(self.settings.addresses, usual)
        except ValueError as fault:
            raise click.UsageError(f"{variable('', 'addresses')}: {fault}") from fault


def address(*needs: tuple[str, ...]) -> Callable[[F], Callable[..., Any]]:
    """Gives a command the options of what it needs, and its parameter `where`."""

    def decorated(command: F) -> Callable[..., Any]:
        @wraps(command)
        def call(told: Told, **given: Any) -> Any:
            return command(where=where(told), **given)

        return told(*needs)(call)

    return decorated


def told(*needs: tuple[str, ...]) -> Callable[[F], Callable[..., Any]]:
    """The same for a command that judges settings itself: its parameter `told`."""
    fields = [field for need in needs for field in need]

    def decorated(command: F) -> Callable[..., Any]:
        @wraps(command)
        def call(**given: Any) -> Any:
            options = {field: given.pop(field) for field in fields}
            return command(told=options, **given)

        made: Callable[..., Any] = call
        for field in reversed(fields):
            made = _option(field)(made)
        return made

    return decorated


def environment_of(told: Told) -> dict[str, str]:
    """The environment with the options in place of its variables."""
    given = {variable("", field): value for field, value in told.items() if value is not None}
    return {**environment(), **given}


def where(told: Told) -> Where:
    """What options and the environment say. Raises `click.UsageError`."""
    try:
        loaded = load({"": CommandSettings}, environment_of(told), others=NAMES)
    except SettingsFault as wrong:
        raise click.UsageError("Settings are wrong: " + "; ".join(wrong.faults)) from wrong
    settings: CommandSettings = loaded[""]
    if settings.url and not _is_url(settings.url):
        raise click.UsageError(f"{settings.url!r} is no address: write http://host:port")
    return Where(settings)


def _option(field: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    flag, says = FLAGS[field]
    return click.option(flag, field, help=f"{says} [{variable('', field)}]")


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
