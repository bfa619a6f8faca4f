"""A process that logs as a service does, and as a library does; run as a module."""

import logging

from libs.runtime.logging import configure, logger

log = logger("shop")


def main() -> None:
    configure("info")
    log.debug("too small")
    log.info("sold", thing="lamp")
    log.error("failed", exc_info=ZeroDivisionError("by zero"))
    logging.getLogger("theirs").warning("odd %s", "thing")
    logging.getLogger("theirs").info("too small")


if __name__ == "__main__":
    main()
