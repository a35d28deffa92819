"""Ask a broker which brokers it knows, in Kafka's own bytes: no client, no event loop."""

import socket
import struct

METADATA_KEY = 3
METADATA_VERSION = 1
CORRELATION = 7
ANSWER_LIMIT_S = 2
ANSWER_LIMIT_BYTES = 1_000_000


def registered_brokers(port: int) -> dict[int, int] | None:
    """Node id to port of every broker that is registered and unfenced; None when this one doesn't answer yet."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_LIMIT_S) as connection:
            no_topics = struct.pack(">i", 0)
            request = struct.pack(">hhih", METADATA_KEY, METADATA_VERSION, CORRELATION, -1) + no_topics
            connection.sendall(struct.pack(">i", len(request)) + request)
            (size,) = struct.unpack(">i", _exactly(connection, 4))
            if not 8 <= size <= ANSWER_LIMIT_BYTES:
                return None
            return _brokers(_exactly(connection, size))
    except (OSError, struct.error):
        return None


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionResetError("the broker closed the connection")
        received += part
    return received


def _brokers(answer: bytes) -> dict[int, int] | None:
    correlation, count = struct.unpack_from(">ii", answer)
    if correlation != CORRELATION:
        return None
    brokers, position = {}, 8
    for _ in range(count):
        node_id, host_size = struct.unpack_from(">ih", answer, position)
        position += 6 + host_size
        port, rack_size = struct.unpack_from(">ih", answer, position)
        position += 6 + max(rack_size, 0)
        brokers[node_id] = port
    return brokers
