"""Peers: servers of others that push messages to many, as their makers recommend to run them."""

from collections.abc import Callable, Mapping

from bench.contestant import Contestant
from bench.peers.nats import Nats
from bench.peers.nchan import Nchan
from bench.peers.pushpin import Pushpin
from bench.peers.socketio import SocketIo

PEERS: Mapping[str, Callable[[int | None, int], Contestant]] = {
    "nchan": Nchan,
    "pushpin": Pushpin,
    "nats": Nats,
    "socketio": SocketIo,
}
