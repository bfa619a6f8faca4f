"""All streams of a gateway, once a second."""

from libs.runtime.web import Person
from libs.testing.clock import VirtualClock
from services.gateway.answers import Form
from services.gateway.sessions import Sessions
from services.gateway.streams.registry import BEAT_EVERY_TICKS, Registry
from services.gateway.streams.stream import Stream, Surroundings
from services.gateway.tests.wires import Wire

STREAMS = 200
FRAME = bytes(1_000)


def registered(clock: VirtualClock, most: int = 1 << 30) -> tuple[Registry, list[Wire]]:
    """Streams whose transports have enough with more than `most` bytes."""
    registry, wires = Registry(Sessions(), clock), []
    # Nothing of what streams share is asked by a stream that follows nothing.
    about = Surroundings(clock, None, None, None)  # type: ignore[arg-type]
    for number in range(STREAMS):
        wire = Wire(most)
        stream = Stream(Person(f"u{number}", f"s{number}"), Form.JSON, about, wire)
        wire.outbox = stream.outbox
        stream.expires_s = 1 << 40
        registry.enter(stream)
        wires.append(wire)
    return registry, wires


def test_each_stream_is_told_that_we_live_and_not_all_in_one_second() -> None:
    registry, wires = registered(VirtualClock())
    most = 0
    for _ in range(BEAT_EVERY_TICKS):
        before = sum(each.carrying() > 0 for each in wires)
        registry.tick()
        most = max(most, sum(each.carrying() > 0 for each in wires) - before)
    for each in wires:
        each.take()
    assert [len(each.taken) for each in wires] == [1] * STREAMS
    assert most < STREAMS


def test_what_clients_do_not_take_is_counted() -> None:
    registry, wires = registered(VirtualClock(), most=500)
    assert registry.buffered() == 0
    for stream in list(registry)[:10]:
        for _ in range(3):
            assert stream.outbox.push(FRAME)
    assert registry.buffered() == 10 * 3 * len(FRAME)
    for each in wires:
        each.take_all()
    assert registry.buffered() == 0
