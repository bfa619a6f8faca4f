"""A process that starts a node, says the node's process id, and waits to be killed.

`python -m deploy.kafka.tests.parent FOLDER`
"""

import sys
import threading
from pathlib import Path

from deploy.kafka.cluster import running
from deploy.kafka.distribution import Distribution

if __name__ == "__main__":
    with running(Distribution(), Path(sys.argv[1])) as cluster:
        print(cluster.nodes[0].pid, flush=True)
        threading.Event().wait()
