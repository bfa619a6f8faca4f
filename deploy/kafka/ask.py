"""Three questions to a broker in Kafka's own protocol, so that waiting for one needs no driver.

Metadata (key 3, version 1) lists the brokers; ApiVersions (key 18, version 3) has what the broker
says about its release: the highest `metadata.version` that it supports; DescribeQuorum (key 55,
version 0) tells who the active controller is, which drivers cannot ask.
"""

import io
import socket
import struct

CLIENT = b"rostrum"
METADATA, METADATA_VERSION = 3, 1
API_VERSIONS, API_VERSIONS_VERSION = 18, 3
QUORUM, QUORUM_VERSION = 55, 0
QUORUM_TOPIC = b"__cluster_metadata"
SUPPORTED_FEATURES = 0
# The largest answer to these questions is a few kilobytes.
ANSWER_BYTES_MAX = 1 << 20


def brokers(host: str, port: int, timeout_s: float) -> int:
    """How many brokers this one knows. Raises `OSError` when it does not answer."""
    no_topics = struct.pack(">i", 0)
    answer = _asked((host, port), _request(METADATA, METADATA_VERSION, no_topics), timeout_s)
    (count,) = struct.unpack(">i", answer.read(4))
    return int(count)


def features(host: str, port: int, timeout_s: float) -> dict[str, int]:
    """The highest level that the broker supports of each feature. Raises `OSError`."""
    software = bytes([len(CLIENT) + 1]) + CLIENT + b"\x02" + b"1" + b"\0"
    request = _request(API_VERSIONS, API_VERSIONS_VERSION, b"\0" + software)
    answer = _asked((host, port), request, timeout_s)
    answer.read(2)
    for _ in range(_varint(answer) - 1):
        answer.read(7)  # key, lowest and highest version, no tags
    answer.read(4)
    found: dict[str, int] = {}
    for _ in range(_varint(answer)):
        tag, size = _varint(answer), _varint(answer)
        field = io.BytesIO(answer.read(size))
        if tag == SUPPORTED_FEATURES:
            found = dict(_feature(field) for _ in range(_varint(field) - 1))
    return found


def controller(host: str, port: int, timeout_s: float) -> int:
    """The node that leads the controllers now. Raises `OSError`, also while there is none."""
    topic = bytes([len(QUORUM_TOPIC) + 1]) + QUORUM_TOPIC
    one_partition = b"\x02" + struct.pack(">i", 0) + b"\0"
    body = b"\0" + b"\x02" + topic + one_partition + b"\0" + b"\0"
    answer = _asked((host, port), _request(QUORUM, QUORUM_VERSION, body), timeout_s)
    answer.read(1)  # no tags
    (error,) = struct.unpack(">h", answer.read(2))
    if error or _varint(answer) != 2:
        raise OSError(f"{host}:{port} does not know the quorum: error {error}")
    answer.read(_varint(answer) - 1)  # the topic's name
    answer.read(1)  # one partition
    _partition, error, leader = struct.unpack(">ihi", answer.read(10))
    if error or leader < 0:
        raise OSError(f"{host}:{port} knows no leader of the quorum: error {error}")
    return int(leader)


def _feature(field: io.BytesIO) -> tuple[str, int]:
    name = field.read(_varint(field) - 1).decode()
    _lowest, highest, _tags = struct.unpack(">hhb", field.read(5))
    return name, highest


def _request(key: int, version: int, body: bytes) -> bytes:
    correlation = 1
    head = struct.pack(">hhih", key, version, correlation, len(CLIENT)) + CLIENT
    return struct.pack(">i", len(head) + len(body)) + head + body


def _asked(address: tuple[str, int], request: bytes, timeout_s: float) -> io.BytesIO:
    with socket.create_connection(address, timeout_s) as connection:
        connection.sendall(request)
        (size,) = struct.unpack(">i", _exactly(connection, 4))
        if not 4 <= size <= ANSWER_BYTES_MAX:
            raise OSError(f"{address} answers in another protocol than Kafka's")
        answer = io.BytesIO(_exactly(connection, size))
    answer.read(4)  # the correlation id
    return answer


def _exactly(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        more = connection.recv(size - len(read))
        if not more:
            raise OSError("the broker closed the connection")
        read += more
    return read


def _varint(stream: io.BytesIO) -> int:
    value = shift = 0
    while True:
        (byte,) = stream.read(1)
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value
