"""Settings of chat; each limit with its reason."""

from dataclasses import dataclass
from typing import Annotated

from libs.runtime.settings import Says


@dataclass(frozen=True)
class Settings:
    """Deadlines and bounds of the post path."""

    answer_deadline_s: Annotated[
        float,
        Says(
            gt=0, le=5, description="How long a post is waited for; the log says unknown after 5 s"
        ),
    ] = 4.0
    access_s: Annotated[
        float,
        Says(gt=0, le=2, description="How long access may take; it leaves time to write the post"),
    ] = 1.5
    access_kept_s: Annotated[
        float,
        Says(
            ge=0,
            le=60,
            description="How old a yes may be that counts while access cannot be asked; a restart "
            "of group-membership takes less",
        ),
    ] = 60.0
    access_memory: Annotated[
        int, Says(ge=1, description="Such answers kept, some 400 bytes each; the oldest go first")
    ] = 100_000
    hint_s: Annotated[
        float,
        Says(gt=0, le=1, description="How long Redis may take; a post that waits longer is late"),
    ] = 0.25
    hints_waiting: Annotated[
        int,
        Says(ge=1, description="Commands that wait for Redis; more are not given, some 500 bytes"),
    ] = 20_000
    handles_s: Annotated[
        float,
        Says(gt=0, le=1, description="How long session may take to say who is mentioned"),
    ] = 0.3
    handles_kept_s: Annotated[
        float,
        Says(ge=0, le=60, description="How long its answer holds; a new account waits so long"),
    ] = 10.0
    handles_memory: Annotated[
        int, Says(ge=1_000, description="Handles remembered, some 300 bytes each")
    ] = 20_000
    pace_authors: Annotated[
        int,
        Says(ge=1, description="Authors in slow mode remembered; who falls out may post again"),
    ] = 100_000
    posts_in_flight: Annotated[
        int, Says(ge=1, description="Posts under way at once; more are refused")
    ] = 4_096
    posts_remembered: Annotated[
        int,
        Says(
            ge=1,
            description="Posts whose place is remembered here beside Redis, some 400 bytes each: "
            "those of the seconds in which a lost answer is asked for again",
        ),
    ] = 16_384
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
