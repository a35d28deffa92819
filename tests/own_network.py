"""A worker in a network namespace of its own, whose only way out is a relay; taking its loopback down cuts it off.

Linux and root only. Inside, 127.0.0.1 is a loopback of the namespace's own: the relay listens there on the brokers'
ports and passes on what comes. No address outside the namespace is made or changed.
"""

import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 0x1
INTERFACE_REQUEST = "16sH14s"
RELAY_BYTES = 65_536
BACKLOG_COUNT = 64


def is_possible() -> bool:
    """May this process make network namespaces?"""
    return Path("/proc/self/ns/net").exists() and os.geteuid() == 0


def enter() -> None:
    """This process, and its threads to come, into a new namespace whose loopback is up. Raises OSError."""
    _called("unshare", CLONE_NEWNET)
    _set_loopback(up=True)


def _called(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _set_loopback(*, up: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack(INTERFACE_REQUEST, b"lo", 0, b"")
        _, flags, _ = struct.unpack(INTERFACE_REQUEST, fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))
        flags = flags | IFF_UP if up else flags & ~IFF_UP
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack(INTERFACE_REQUEST, b"lo", flags, b""))


class Relay:
    """Between a process in its own namespace and this one: `inward` ports are listened on in there, `outward` here."""

    def __init__(self, pid: int, inward: Sequence[int], outward: Sequence[int]) -> None:
        self._namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        self._listeners: list[socket.socket] = []
        for port in inward:
            listener = self._inside(lambda port=port: _listening(port))
            self._serve(listener, lambda port=port: socket.create_connection(("127.0.0.1", port)))
        for port in outward:
            connect = lambda port=port: socket.create_connection(("127.0.0.1", port))  # noqa: E731
            self._serve(_listening(port), lambda connect=connect: self._inside(connect))

    def cut(self) -> None:
        """Nothing comes through any more, and nobody is told: packets are lost."""
        self._inside(lambda: _set_loopback(up=False))

    def mend(self) -> None:
        self._inside(lambda: _set_loopback(up=True))

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        os.close(self._namespace)

    def _inside(self, act: Callable[[], "socket.socket | None"]) -> "socket.socket | None":
        """What `act` does on a thread that is in the namespace: a socket stays where it was made."""
        done: list[socket.socket | None] = []
        failed: list[BaseException] = []

        def acting() -> None:
            try:
                _called("setns", self._namespace, CLONE_NEWNET)
                done.append(act())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=acting)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return done[0]

    def _serve(self, listener: "socket.socket | None", connect: Callable[[], "socket.socket | None"]) -> None:
        assert listener is not None
        self._listeners.append(listener)

        def serving() -> None:
            with suppress(OSError):
                while True:
                    near, _ = listener.accept()
                    threading.Thread(target=_joined, args=(near, connect), daemon=True).start()

        threading.Thread(target=serving, daemon=True).start()


def _listening(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=BACKLOG_COUNT)


def _joined(near: socket.socket, connect: Callable[[], "socket.socket | None"]) -> None:
    try:
        far = connect()
    except OSError:
        near.close()
        return
    assert far is not None
    back = threading.Thread(target=_passed_on, args=(far, near), daemon=True)
    back.start()
    _passed_on(near, far)


def _passed_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while read := source.recv(RELAY_BYTES):
            target.sendall(read)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
