"""Opening a log by its URL. Only the adapter that is asked for is imported."""

from collections.abc import Callable

from libs.log.port import Log

FORMS = "sqlite:///relative/path.db, sqlite:////absolute/path.db or sqlite://:memory:"


async def open_log(url: str, *, now_ms: Callable[[], int]) -> Log:
    """The log behind a URL; `now_ms` is the clock of an embedded one, UTC milliseconds. Raises
    `ValueError` for a URL of no known form, and what the adapter raises."""
    scheme, _, rest = url.partition("://")
    path = rest if rest == ":memory:" else rest.removeprefix("/")
    if scheme != "sqlite" or not path or (path == rest and path != ":memory:"):
        raise ValueError(f"{url!r} names no log: the setting has the form {FORMS}")
    from libs.log.sqlite import open_sqlite  # noqa: PLC0415 - only what is asked for

    return await open_sqlite(path, now_ms=now_ms)
