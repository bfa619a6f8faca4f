"""The part of an event loop that a simulation has not: everything that needs the system."""

import asyncio
from typing import Any, NoReturn


class NeedsSystem(NotImplementedError):
    """What was called is not there without a system: sockets, threads, signals, processes; nor can
    tasks be made by others than the loop."""


def _refusal(name: str) -> Any:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise NeedsSystem(f"{name}: a simulation has no system behind it, and its own tasks")

    return refuse


class WithoutSystem(asyncio.AbstractEventLoop):
    """A loop whose calls of the system raise `NeedsSystem`; the others are left to be written."""

    run_in_executor = _refusal("run_in_executor")
    set_default_executor = _refusal("set_default_executor")
    getaddrinfo = _refusal("getaddrinfo")
    getnameinfo = _refusal("getnameinfo")
    create_connection = _refusal("create_connection")
    create_server = _refusal("create_server")
    sendfile = _refusal("sendfile")
    start_tls = _refusal("start_tls")
    create_unix_connection = _refusal("create_unix_connection")
    create_unix_server = _refusal("create_unix_server")
    connect_accepted_socket = _refusal("connect_accepted_socket")
    create_datagram_endpoint = _refusal("create_datagram_endpoint")
    connect_read_pipe = _refusal("connect_read_pipe")
    connect_write_pipe = _refusal("connect_write_pipe")
    subprocess_shell = _refusal("subprocess_shell")
    subprocess_exec = _refusal("subprocess_exec")
    add_reader = _refusal("add_reader")
    remove_reader = _refusal("remove_reader")
    add_writer = _refusal("add_writer")
    remove_writer = _refusal("remove_writer")
    sock_recv = _refusal("sock_recv")
    sock_recv_into = _refusal("sock_recv_into")
    sock_recvfrom = _refusal("sock_recvfrom")
    sock_recvfrom_into = _refusal("sock_recvfrom_into")
    sock_sendall = _refusal("sock_sendall")
    sock_sendto = _refusal("sock_sendto")
    sock_connect = _refusal("sock_connect")
    sock_accept = _refusal("sock_accept")
    sock_sendfile = _refusal("sock_sendfile")
    add_signal_handler = _refusal("add_signal_handler")
    remove_signal_handler = _refusal("remove_signal_handler")
    set_task_factory = _refusal("set_task_factory")
    get_task_factory = _refusal("get_task_factory")
