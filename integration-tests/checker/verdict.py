"""What a judgement says: findings, each with its law and the events that prove it, and figures."""

from collections.abc import Iterable

from checker.figures import Figures
from checker.history import Event
from libs.wire.codec import Struct

# Laws are those of docs/laws.md; a history that proves nothing breaks none, and is no proof.
NO_PROOF = "history"
KINDS = {
    "lost": "L1",  # acknowledged, and not where readers came past
    "unseen": "L1",  # acknowledged, and above all that anybody read
    "wrong-id": "L1",  # acknowledged under the id of something else
    "phantom": "L2",  # read, and written by no attempt that may have written
    "inconsistent": "L2",  # two readers were given different things under one id
    "vanished": "L2",  # a reader had it, and a final reader has not
    "gap": "L3",  # a final reader's ids do not rise by one from the first kept to the head
    "order": "L4",  # begun after another was acknowledged, with a smaller id
    "repeated": "L5",  # one post shown as two messages
    "two-ids": "L5",  # one post acknowledged with two ids
    "void-verdict": "L5",  # void, or a message, or `dup_of`, against the rule of duplicates
    "skipped": "L8",  # a session came past an entry without having been given it
    "repeat": "L8",  # a session was given an entry twice
    "reorder": "L8",  # a session was given an entry after a later one
    "wrong-resume": "L8",  # the first entry after a cursor is not the one after the cursor
    "wrong-epoch": "L8",  # entries of another epoch, and no reset was told
    "after-access-ended": "L9",  # given to whom access had ended before it was begun
    "empty": NO_PROOF,  # nothing was acknowledged
    "no-final": NO_PROOF,  # nobody read the channel to its end
    "unmatched": NO_PROOF,  # an answer without its question: the history is not whole
}


class Finding(Struct, frozen=True):
    """One break of a law: `what` is a sentence, `evidence` the events that show it."""

    law: str
    kind: str
    what: str
    evidence: tuple[Event, ...]


class Verdict(Struct, frozen=True):
    """Of one history. `rules` are those that were applied."""

    findings: tuple[Finding, ...]
    figures: Figures
    rules: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def kinds(self) -> set[tuple[str, str]]:
        """Law and kind of all that was found."""
        return {(finding.law, finding.kind) for finding in self.findings}


def finding(kind: str, what: str, evidence: Iterable[Event | None]) -> Finding:
    """A finding of a kind. Events that are not there are left out."""
    return Finding(KINDS[kind], kind, what, tuple(event for event in evidence if event))
