"""What was promised in the run that is judged; the defaults are what the laws say."""

from dataclasses import dataclass

S = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`window`: entries within which one post shows as one message whatever is lost. `hints`: so
    it does at any distance, because Redis was not emptied. `appends`: records that one attempt may
    make. `foreign`: others write into the log, so a void may be of no post. `access_ns`: how long
    after its end an access may still be used. `aftermath_ns`: how long after its end a fault is
    blamed for what is slow."""

    window: int = 512
    hints: bool = True
    appends: int = 1
    foreign: bool = False
    access_ns: int = 1 * S
    aftermath_ns: int = 30 * S


PROMISED = Limits()
