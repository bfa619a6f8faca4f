"""A program in namespaces of its own, which ends with whoever started it, however that ends."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

from deploy.kafka.child import tied

# With `--kill-child` the first process inside, and so all of them, is gone when `unshare` is.
NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
LOOPBACK = 'ip link set lo up && exec "$0" "$@"'


def alone(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run Python with these words where network, mounts and processes are not shared with the rest
    of the machine, and return its exit code. Needs root."""
    command = [*NAMESPACES, "sh", "-c", LOOPBACK, sys.executable, *words]
    return subprocess.run(command, env=environment, preexec_fn=tied(), check=False).returncode
