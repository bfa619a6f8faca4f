"""`python -m deploy.kafka`: brokers in the foreground until Ctrl-C; their data goes with them."""

import argparse
import sys
import tempfile
import threading
from pathlib import Path

from deploy.kafka.child import LOOPBACK
from deploy.kafka.cluster import running
from deploy.kafka.distribution import CACHE, FALLBACK, VERSION, CannotStart, Distribution


def main() -> int:
    """Start, say where, wait."""
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka", description=__doc__)
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1, help="how many brokers")
    parser.add_argument("--version", default=VERSION, help=f"of Kafka; {FALLBACK} is known to work")
    asked = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="brokers-", dir=CACHE) as folder,
            running(
                Distribution(asked.version), Path(folder) / "nodes", [LOOPBACK] * asked.nodes
            ) as cluster,
        ):
            print(f"Kafka {asked.version} answers: KAFKA_BOOTSTRAP={cluster.bootstrap}", flush=True)
            threading.Event().wait()
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
