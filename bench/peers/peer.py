"""What peers have in common: one program with a configuration of ours, and children of its own."""

import shutil
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from string import Template

from bench.contestant import CONNECTIONS_OF_A_PROCESS, Contestant
from bench.desk import Desk
from bench.messages import answer, frame
from bench.usage import family
from bench.ways import Way
from deploy.kafka.distribution import CannotStart
from deploy.local.program import Program

HERE = Path(__file__).parent
# Where install scripts put what is of no package of the system.
INSTALLED = HERE.parents[1] / "build" / "bench" / "peers"
STOP_S = 10.0
# When the bench dies its children are killed. A peer is asked instead: it has children to end.
ASKED_AT_THE_END = ("setpriv", "--pdeathsig", "TERM")


class Peer(Contestant):
    """A peer for `connections`. Its folder below `bench/peers` has an install script, and the
    configuration that `configured` fills in."""

    folder_name: str
    processes = 1

    def __init__(self, cpu: int | None, connections: int) -> None:
        super().__init__(cpu)
        self.connections = connections
        self.desk: Desk | None = None
        self._program: Program | None = None

    def start(self, folder: Path) -> None:
        """See `Contestant`."""
        folder.mkdir(parents=True, exist_ok=True)
        most = self.processes * CONNECTIONS_OF_A_PROCESS
        if self.connections > most:
            raise CannotStart(f"as one process it holds no more than {most:,} connections here")
        command = self.pinned([*ASKED_AT_THE_END, *self.command(folder)])
        self._program = Program(self.name, command, folder / f"{self.folder_name}.log")
        self._program.start()
        self.wait_until_ready(self._program)

    @abstractmethod
    def command(self, folder: Path) -> Sequence[str]:
        """What runs it, with its configuration written into `folder`. Raises `CannotStart`."""

    @abstractmethod
    def wait_until_ready(self, program: Program) -> None:
        """Return when it takes connections. Raises `CannotStart`."""

    def stop(self) -> None:
        """See `Contestant`. It is asked first: it has children to end."""
        if self.desk is not None:
            self.desk.close()
        if self._program is not None:
            self._program.ask_to_end()
            self._program.wait(STOP_S)

    def pids(self) -> Sequence[int]:
        """See `Contestant`."""
        pid = None if self._program is None else self._program.pid
        return [] if pid is None else family(pid)

    def publish(self, path: str, body: bytes) -> None:
        """Post to the `desk`, which `command` made."""
        assert self.desk is not None
        self.desk.post(path, body, "application/json")
        self.next_id += 1

    def path_of(self, program: str) -> str:
        """A program of the system, or of the install script."""
        found = shutil.which(program) or shutil.which(str(INSTALLED / self.folder_name / program))
        if found is None:
            raise CannotStart(f"{program} is missing: run bench/peers/{self.folder_name}/install")
        return found

    def configured(self, name: str, folder: Path, /, **values: object) -> str:
        """Write the configuration `name` of ours into `folder`, filled in. Returns its path."""
        form = Template((HERE / self.folder_name / name).read_text("utf-8"))
        (folder / name).write_text(form.substitute(values), "utf-8")
        return str(folder / name)


def payload(way: Way, ident: int) -> bytes:
    """What a peer carries: as much JSON as the gateway says in that way."""
    return answer(ident) if way is Way.POLL else frame(ident)
