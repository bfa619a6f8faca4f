"""Settings: frozen dataclasses filled from the environment, once, with all faults told together.

A service declares its settings as a frozen dataclass whose fields are `Annotated[type, Says(...)]`
with a default that works embedded. The variable of field `wait_s` of service chat is
`ROSTRUM_CHAT_WAIT_S`; those of the process itself have no service in their name.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_type_hints
from urllib.parse import urlsplit

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo

S = TypeVar("S")

PREFIX = "ROSTRUM_"
Says = Field
# Two letters wrong in a short name are still a near miss; a shared syllable is not.
ALIKE = 0.7


@dataclass(frozen=True)
class ProcessSettings:
    """What concerns the process, whichever services run in it."""

    port: Annotated[int, Says(ge=1, le=64_000, description="Port of the gateway")] = 8080
    host: Annotated[str, Says(description="Address that listeners bind (embedded: public)")] = (
        "127.0.0.1"
    )
    data: Annotated[Path, Says(description="Folder of the embedded log and secrets")] = Path("var")
    log_url: Annotated[str, Says(description="The log; empty: sqlite in the data folder")] = ""
    store_url: Annotated[
        str, Says(description="Redis of the views; empty: embedded, gone with the process")
    ] = ""
    own_port: Annotated[
        int, Says(ge=0, le=64_000, description="Port of a process of one service; 0: its usual")
    ] = 0
    addresses: Annotated[
        str, Says(description="Where services answer: chat=http://host:port,... Empty: here")
    ] = ""
    make_secrets: Annotated[
        bool, Says(description="Make secret files that are missing; embedded this is always so")
    ] = False
    drain_s: Annotated[
        float, Says(ge=0, le=600, description="Seconds over which connections are moved at stop")
    ] = 1.0
    log_level: Annotated[
        str, Says(pattern="^(debug|info|warning|error)$", description="Least level of log lines")
    ] = "info"


@dataclass(frozen=True)
class CommandSettings(ProcessSettings):
    """What the commands of operators and members read besides. Services leave it alone."""

    url: Annotated[
        str, Says(description="Gateway that commands ask; empty: the one on this machine")
    ] = ""
    token: Annotated[str, Says(description="Access token of commands; empty: from a session")] = ""
    sessions: Annotated[
        Path, Says(description="File in which commands keep who is signed in where")
    ] = Path("~/.config/rostrum/sessions.json")


class SettingsFault(Exception):
    """What is wrong with the settings: one line per fault, each naming variable and mend."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def environment() -> Mapping[str, str]:
    """This process's environment, as it is now."""
    return dict(os.environ)


def variable(service: str, field: str) -> str:
    """The name of a setting's environment variable; `service` is empty for the process's own."""
    parts = [service.replace("-", "_"), field] if service else [field]
    return PREFIX + "_".join(parts).upper()


def load(
    wanted: Mapping[str, type[Any]], environ: Mapping[str, str], *, others: Iterable[str] = ()
) -> dict[str, Any]:
    """The settings of each service in `wanted` (name -> dataclass; "" is the process itself).

    Variables of `others` (services that do not run here) and those of commands are left alone.
    Raises `SettingsFault` with every fault of all, unknown `ROSTRUM_` variables included.
    """
    loaded, faults = {}, []
    for service, kind in wanted.items():
        try:
            loaded[service] = _load_one(service, kind, environ)
        except ValidationError as errors:
            faults += [_fault(service, error) for error in errors.errors()]
    known = [name for service, kind in wanted.items() for name in _variables(service, kind)]
    known += _variables("", CommandSettings)
    elsewhere = tuple(variable(service, "") for service in others if service not in wanted)
    faults += _unknown({k: v for k, v in environ.items() if not k.startswith(elsewhere)}, known)
    if faults:
        raise SettingsFault(faults)
    return loaded


def log_url(settings: ProcessSettings) -> str:
    """The log's address, with the embedded default filled in."""
    return settings.log_url or f"sqlite:///{settings.data / 'rostrum.db'}"


def is_embedded(settings: ProcessSettings) -> bool:
    """Whether the log is the process's own file."""
    return log_url(settings).startswith("sqlite:")


def rows(service: str, settings: object) -> list[tuple[str, str, str]]:
    """For each setting: variable, value in force (secrets hidden), what it is."""
    assert is_dataclass(settings)
    says = _descriptions(type(settings))
    return [
        (variable(service, field.name), shown(getattr(settings, field.name)), says[field.name])
        for field in fields(settings)
    ]


def describe(service: str, settings: object) -> list[str]:
    """One line per setting, as `--check` prints it."""
    return [f"{name}={value}  # {says}" for name, value, says in rows(service, settings)]


def _load_one(service: str, kind: type[S], environ: Mapping[str, str]) -> S:
    assert is_dataclass(kind)
    given = {
        field.name: environ[variable(service, field.name)]
        for field in fields(kind)
        if variable(service, field.name) in environ
    }
    return cast(S, TypeAdapter(kind).validate_python(given))


def _variables(service: str, kind: type[Any]) -> Iterable[str]:
    return (variable(service, field.name) for field in fields(kind))


def _fault(service: str, error: Any) -> str:
    name = variable(service, str(error["loc"][0])) if error["loc"] else service
    return f"{name}={error['input']!r}: {error['msg']}"


def _unknown(environ: Mapping[str, str], known: list[str]) -> list[str]:
    faults = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known:
            continue
        # Without the prefix, which makes everything look alike.
        rests = [other.removeprefix(PREFIX) for other in known]
        near = get_close_matches(name.removeprefix(PREFIX), rests, n=1, cutoff=ALIKE)
        hint = f"did you mean {PREFIX}{near[0]}?" if near else "no service that runs here has it"
        faults.append(f"{name}: unknown setting; {hint}")
    return faults


def _descriptions(kind: type[Any]) -> dict[str, str]:
    hints = get_type_hints(kind, include_extras=True)
    return {
        name: next((m.description or "" for m in hint.__metadata__ if isinstance(m, FieldInfo)), "")
        for name, hint in hints.items()
        if hasattr(hint, "__metadata__")
    }


def shown(value: object) -> str:
    """A setting's value for people: the password of an address is hidden."""
    text = str(value)
    parts = urlsplit(text) if "://" in text else None
    if parts is not None and parts.password:
        return text.replace(f":{parts.password}@", ":***@")
    return text
