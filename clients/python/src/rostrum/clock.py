"""The wall clock: the one place where this package asks what time it is."""

import time


def now_s() -> float:
    """Seconds since 1970, UTC."""
    return time.time()
