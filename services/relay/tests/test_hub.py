"""What is published reaches those who watch, and nobody waits for a slow one."""

from services.relay.hub import RESTART, SLOW, Hub, Outbox


class Changes:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def _outbox(frames: int = 4, size: int = 100) -> Outbox:
    return Outbox(frames, size, Changes())


def _taken(outbox: Outbox) -> list[bytes]:
    taken = []
    while (frame := outbox.take()) is not None:
        taken.append(frame)
    return taken


def test_frames_come_out_in_order() -> None:
    changes = Changes()
    outbox = Outbox(4, 100, changes)
    outbox.put(b"a")
    outbox.put(b"b")
    assert changes.count == 2
    assert _taken(outbox) == [b"a", b"b"]


def test_too_many_frames_or_bytes_close_the_link() -> None:
    for outbox, frames in ((_outbox(frames=2), [b"a"] * 3), (_outbox(size=5), [b"abc", b"abc"])):
        for frame in frames:
            outbox.put(frame)
        assert outbox.code == SLOW
        assert _taken(outbox) == []


def test_the_first_reason_counts_and_nothing_follows_it() -> None:
    outbox = _outbox()
    outbox.close(RESTART)
    outbox.close(SLOW)
    outbox.put(b"a")
    assert (outbox.code, outbox.take()) == (RESTART, None)


def test_half_of_an_outbox_is_left_to_what_cannot_wait() -> None:
    outbox = _outbox(frames=4)
    outbox.put(b"a")
    assert outbox.is_roomy()
    outbox.put(b"b")
    assert not outbox.is_roomy()
    outbox.take()
    assert outbox.is_roomy()


def test_only_who_watches_is_told() -> None:
    hub, one, two = Hub(), _outbox(), _outbox()
    hub.join(one)
    hub.join(two)
    hub.watch(one, "c")
    hub.publish("c", b"c")
    hub.publish("d", b"d")
    hub.broadcast(b"beat")
    assert (_taken(one), _taken(two)) == ([b"c", b"beat"], [b"beat"])
    hub.unwatch(one, "c")
    hub.publish("c", b"c")
    assert (_taken(one), hub.watchers) == ([], {})


def test_who_has_gone_is_forgotten() -> None:
    hub, one, two = Hub(), _outbox(), _outbox()
    for outbox in (one, two):
        hub.join(outbox)
        hub.watch(outbox, "c")
    hub.leave(one, ["c", "d"])
    assert (hub.watchers, hub.outboxes) == ({"c": {two: None}}, {two: None})
    hub.forget("c")
    assert hub.watchers == {}
    hub.close(RESTART)
    assert (one.code, two.code) == (None, RESTART)
