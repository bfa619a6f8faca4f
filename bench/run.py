"""One run: all contestants started, all scenarios played, one report."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.contestant import Contestant
from bench.plan import Plan
from bench.results import Results
from bench.scenarios.table import LISTENING, OTHERS
from deploy.kafka.distribution import CannotStart

Say = Callable[[str], object]


def run(
    plan: Plan, scenarios: Sequence[str], contestants: Sequence[Contestant], say: Say
) -> Results:
    """Play the scenarios of these names. Whoever does not start is in the notes of the results."""
    results = Results(plan.connections)
    listening = [name for name in scenarios if name in LISTENING]
    with started(contestants if listening else [], plan.folder, results) as able:
        for name in listening:
            say(f"{name}: {', '.join(each.name for each in able)}")
            LISTENING[name](plan, able, results)
    for name in (name for name in scenarios if name in OTHERS):
        say(name)
        OTHERS[name](plan, results)
    return results


@contextmanager
def started(
    contestants: Sequence[Contestant], folder: Path, results: Results
) -> Iterator[list[Contestant]]:
    """Those that start, each with a folder of its own."""
    able: list[Contestant] = []
    with ExitStack() as ending:
        for each in contestants:
            own = Path(tempfile.mkdtemp(prefix=f"{each.name.split()[0]}-", dir=folder))
            try:
                ending.callback(each.stop)
                each.start(own)
                able.append(each)
            except CannotStart as fault:
                results.note(each.name, str(fault))
        yield able
