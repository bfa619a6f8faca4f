"""Opening a log by its URL. Only the adapter that is asked for is imported."""

from collections.abc import Callable

from libs.log.port import Log

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
    scheme, _, rest = url.partition("://")
    if scheme == "kafka":
        return await _kafka(url, rest)
    path = rest if rest == ":memory:" else rest.removeprefix("/")
    if scheme != "sqlite" or not path or (path == rest and path != ":memory:"):
        raise _no_log(url)
    from libs.log.sqlite import open_sqlite  # noqa: PLC0415 - only what is asked for

    return await open_sqlite(path, now_ms=now_ms)


async def _kafka(url: str, rest: str) -> Log:
    bootstrap, _, query = rest.partition("?")
    if query not in {"", UNSAFE_SINGLE} or not all(map(_is_address, bootstrap.split(","))):
        raise _no_log(url)
    from libs.log.kafka import open_kafka  # noqa: PLC0415 - only what is asked for

    return await open_kafka(bootstrap, single=query == UNSAFE_SINGLE)


def _is_address(word: str) -> bool:
    host, _, port = word.rpartition(":")
    return bool(host) and "/" not in host and port.isascii() and port.isdigit()


def _no_log(url: str) -> ValueError:
    return ValueError(f"{url!r} names no log: the setting has the form {FORMS}")
