"""Settings of chat; each limit with its reason."""

from dataclasses import dataclass
from typing import Annotated

from libs.runtime.settings import Says


@dataclass(frozen=True)
class Settings:
    """Deadlines and bounds of the post path."""

    answer_deadline_s: Annotated[
        float,
        Says(gt=0, le=5, description="How long a post is waited for; the log gives up after 5 s"),
    ] = 4.0
    access_s: Annotated[
        float,
        Says(gt=0, le=2, description="How long access may take; with the post under 6 s together"),
    ] = 1.5
    posts_in_flight: Annotated[
        int, Says(ge=1, description="Posts under way at once; more are refused")
    ] = 4_096
    window_channels: Annotated[
        int, Says(ge=1, description="Channels whose newest entries are kept; others are read first")
    ] = 10_000
    window_keys: Annotated[
        int,
        Says(
            ge=512,
            description="Posts remembered over all channels; the channels used least go first",
        ),
    ] = 500_000
    signals_waiting: Annotated[
        int, Says(ge=1, description="Signals not written yet; beyond it the oldest are dropped")
    ] = 10_000
    signals_in_flight: Annotated[
        int, Says(ge=1, le=1_000, description="Signals on their way into the log at once")
    ] = 64
