"""`python -m deploy.local`: the suite as processes, in the foreground until Ctrl-C."""

import argparse
import fcntl
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.kafka.distribution import CannotStart
from deploy.local.layout import INSTANCES_MAX
from deploy.local.up import Up, Wanted


def main() -> int:
    """Run it. The exit code is 0 when it was told to end, 1 when it could not go on."""
    signal.signal(signal.SIGTERM, _interrupt)
    wanted = _wanted()
    try:
        with _alone(wanted.data):
            Up(wanted, sys.stdout).run()
    except CannotStart as fault:
        print(fault, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _wanted() -> Wanted:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="of the gateway")
    parser.add_argument("--data", type=Path, default=Path("var"), help="folder of broker and keys")
    parser.add_argument(
        "--instances",
        type=int,
        choices=range(1, INSTANCES_MAX + 1),
        default=1,
        help="of each service but the gateway",
    )
    parser.add_argument("--redis", default="", help="URL of a Redis that runs already")
    parser.add_argument("--kafka", default="", help="host:port of a broker that runs already")
    return Wanted(**vars(parser.parse_args()))


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / "local.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"{data} is in use by another one: stop it, or set DATA") from None
        yield


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
