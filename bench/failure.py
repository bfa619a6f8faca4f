"""What keeps something from being measured: it is noted, and the run goes on."""


class Failure(Exception):
    """Something could not be measured; it says why."""
