"""Opening a log by its URL. Only the adapter that is asked for is imported."""

from collections.abc import Callable
from typing import NamedTuple

from libs.log.port import Inspection, Log

FORMS = (
    "sqlite:///relative/path.db, sqlite:////absolute/path.db, sqlite://:memory: "
    "or kafka://host:port[,host:port]"
)
# One broker, and records with one copy: what its disk takes along is lost.
UNSAFE_SINGLE = "unsafe_single=1"


async def open_log(url: str, *, now_ms: Callable[[], int]) -> Log:
    """The log behind a URL; `now_ms` is the clock of an embedded one, UTC milliseconds. Kafka with
    one broker only is opened with `?unsafe_single=1`. Raises `ValueError` for a URL of no known
    form, and what the adapter raises."""
    place = _parsed(url)
    if isinstance(place, _Brokers):
        from libs.log.kafka import open_kafka  # noqa: PLC0415 - only what is asked for

        return await open_kafka(place.bootstrap, single=place.single)
    from libs.log.sqlite import open_sqlite  # noqa: PLC0415 - only what is asked for

    return await open_sqlite(place, now_ms=now_ms)


async def open_inspection(url: str) -> Inspection:
    """The log behind a URL, to look at while its processes serve it. Raises `ValueError` for a URL
    of no known form, `LogUnavailable` for an embedded log that is not there; brokers that are away
    show with the first question."""
    place = _parsed(url)
    if isinstance(place, _Brokers):
        from libs.log.kafka import KafkaInspection  # noqa: PLC0415 - only what is asked for

        return KafkaInspection(place.bootstrap, single=place.single)
    from libs.log.sqlite import inspect_sqlite  # noqa: PLC0415 - only what is asked for

    return await inspect_sqlite(place)


class _Brokers(NamedTuple):
    bootstrap: str
    single: bool


def _parsed(url: str) -> _Brokers | str:
    """The brokers, or the path of the embedded log."""
    scheme, _, rest = url.partition("://")
    if scheme == "kafka":
        bootstrap, _, query = rest.partition("?")
        if query not in {"", UNSAFE_SINGLE} or not all(map(_is_address, bootstrap.split(","))):
            raise _no_log(url)
        return _Brokers(bootstrap, single=query == UNSAFE_SINGLE)
    path = rest if rest == ":memory:" else rest.removeprefix("/")
    if scheme != "sqlite" or not path or (path == rest and path != ":memory:"):
        raise _no_log(url)
    return path


def _is_address(word: str) -> bool:
    host, _, port = word.rpartition(":")
    return bool(host) and "/" not in host and port.isascii() and port.isdigit()


def _no_log(url: str) -> ValueError:
    return ValueError(f"{url!r} names no log: the setting has the form {FORMS}")
