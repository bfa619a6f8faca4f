"""Settings of session; each limit with its reason."""

from dataclasses import dataclass
from typing import Annotated

from libs.runtime.settings import Says
from libs.wire.tokens import LIFE_S_MAX


@dataclass(frozen=True)
class Settings:
    """Lives of tokens, and what a password costs. The defaults of the hash are the low-memory
    choice of RFC 9106 (argon2id, 64 MiB, 3 passes, 4 lanes)."""

    access_life_s: Annotated[
        int,
        Says(
            ge=30,
            le=LIFE_S_MAX,
            description="Life of an access token; the most is how long gateways know revocations",
        ),
    ] = LIFE_S_MAX
    sessions_max: Annotated[
        int,
        Says(ge=1, le=1_000, description="Sessions of one user, so that the list is one page"),
    ] = 100
    hash_memory_kib: Annotated[
        int, Says(ge=8_192, le=1 << 21, description="Memory of one hash: what guessing costs")
    ] = 65_536
    hash_passes: Annotated[
        int, Says(ge=1, le=64, description="Passes over that memory, each makes guessing dearer")
    ] = 3
    hash_lanes: Annotated[
        int, Says(ge=1, le=64, description="Threads that one hash may use at most")
    ] = 4
    hashes_at_once: Annotated[
        int, Says(ge=1, le=32, description="Hashes at one time: times the memory is what they take")
    ] = 2
    hashes_waiting: Annotated[
        int,
        Says(ge=0, description="Who may wait for a hash; later ones are told to come again"),
    ] = 64
