"""`make fuzz`: the parsers under a fuzzer that looks which code its bytes reach, for as long as
one likes. What it finds is a file, and the same file as an argument plays it again.

Not a test: it needs atheris, for which there is no wheel for each interpreter.
"""

import sys
from pathlib import Path
from types import FunctionType
from typing import Any

from services.gateway import http_line, http_poll, http_polled, ws_frames, ws_line
from services.gateway.streams import outbox, stream, talk
from services.gateway.tests import socket_seeds
from services.gateway.tests.fuzzing import ANSWERED, CUT, HASTED, LET_IN, SOCKETS, WOKEN, opened
from services.gateway.tests.line_seeds import SEEDS
from services.gateway.tests.rawsocket import BINARY, TEXT, frame
from services.gateway.tests.test_http_again import poll
from services.gateway.tests.test_http_poll import REQUESTS

LOOKED_AT = (http_line, http_poll, http_polled, ws_frames, ws_line, outbox, stream, talk)
ONES = {
    "line": list(SEEDS.values()),
    "polls": [
        *(CUT.join((data, data)) for data, _ in REQUESTS.values()),
        CUT.join((poll(), ANSWERED + poll(cursor=2), WOKEN + poll(cursor=3), poll(b"bob"))),
        CUT.join((poll(), HASTED + poll(cursor=2), LET_IN, HASTED, LET_IN + poll(cursor=3))),
    ],
    "frames": [frame(TEXT, b"hello") + frame(BINARY, bytes(200))],
    SOCKETS: list(socket_seeds.SEEDS.values()),
}


def main(name: str, corpus: Path, arguments: list[str]) -> None:
    """Fuzz one of `ONES`, without end but for what the arguments of libFuzzer say. What reached
    new code is kept in the folder `corpus`, and is where the next run begins."""
    import atheris

    for module in LOOKED_AT:
        _instrument(atheris, module)
        for each in vars(module).values():
            if isinstance(each, type) and each.__module__ == module.__name__:
                _instrument(atheris, each)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(ONES[name]):
        (corpus / f"one-{number}").write_bytes(data)
    with opened(name) as target:
        atheris.Setup([sys.argv[0], *arguments, str(corpus)], target)
        atheris.Fuzz()


def _instrument(atheris: Any, owner: Any) -> None:
    """The functions of a module or class that are its own."""
    home = owner.__module__ if isinstance(owner, type) else owner.__name__
    for name, each in list(vars(owner).items()):
        if isinstance(each, FunctionType) and each.__module__ == home:
            setattr(owner, name, atheris.instrument_func(each))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
