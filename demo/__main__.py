"""`python -m demo`: a chat is imported while hundreds follow it; ends with 1 when one of them
lost, repeated or mixed up anything."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from cli.importing.posting import Stopped
from demo.crowd import NotOpen
from demo.deployment import deployment
from demo.report import lines
from demo.run import Wanted, run
from deploy.kafka.distribution import CannotStart
from rostrum import RostrumError

FOLLOWERS = 200
# All of the shipped chat, which takes 40 s where nothing else does.
MESSAGES = 10_000
SECONDS = 90.0
# What a gateway lets a person post, owner or not.
PER_S = 30.0


def main() -> int:
    """Play it. Returns the exit code."""
    asked = _asked()
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rostrum-demo-")))
            url = asked.url
            if not url:
                _say("Starting a deployment ...")
                url = stack.enter_context(deployment(folder, on_kafka=asked.kafka))
            _say(f"At {url}:")
            wanted = Wanted(asked.followers, asked.messages, asked.per_s, asked.seconds)
            verdict = run(url, folder, wanted, _say)
    except (CannotStart, NotOpen, Stopped, RostrumError) as fault:
        print(fault, file=sys.stderr)
        return 1
    except ExceptionGroup as faults:
        print(faults.exceptions[0], file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    for line in lines(verdict):
        _say(line)
    return 0 if verdict.is_good else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--followers", type=int, default=FOLLOWERS, help="half of them by each way")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="of the chat, at most")
    parser.add_argument("--per-s", type=float, default=PER_S, help="posts a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of posting, at most")
    parser.add_argument("--kafka", action="store_true", help="on Kafka and Redis, in processes")
    parser.add_argument("--url", default="", help="at a deployment that runs already")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
