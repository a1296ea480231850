from __future__ import annotations

import inspect
import socket
import threading
from collections.abc import Iterator
from enum import Enum

import pytest

import bridge
from bridge import board, files, sync
from bridge.errors import LuaError, UsageError
from bridge.mirror import handle, lua, net, tcp, tls, tls_cert, udp
from bridge.mirror.handle import State
from bridge.mirror.modules import (
    adc,
    file,
    file_object,
    gpio,
    node,
    tmr,
    uart,
    wifi,
    wifi_access_point,
    wifi_eventmon,
    wifi_station,
)
from bridge.sync import file as sync_file
from bridge.sync import files as sync_files
from bridge.sync import node as sync_node
from bridge.sync import pins as sync_pins
from bridge.sync import tmr as sync_tmr
from bridge.sync import wifi as sync_wifi
from bridge.sync.face import KINDS

PAIRS = [
    (handle.Remote, sync.Remote),
    (tcp.TCPSocket, sync.TCPSocket),
    (tcp.TCPServer, sync.TCPServer),
    (udp.UDPSocket, sync.UDPSocket),
    (lua.LuaObject, sync.LuaObject),
    (lua.LuaName, sync.LuaName),
    (net.DNS, sync.DNS),
    (net.Net, sync.Net),
    (adc.Adc, sync_pins.Adc),
    (file.File, sync_file.File),
    (file_object.FileObject, sync.FileObject),
    (gpio.Gpio, sync_pins.Gpio),
    (node.Node, sync_node.Node),
    (node.LFS, sync_node.LFS),
    (tmr.Tmr, sync_tmr.Tmr),
    (tmr.Timer, sync.Timer),
    (uart.Uart, sync_pins.Uart),
    (wifi.Wifi, sync_wifi.Wifi),
    (wifi_access_point.AccessPointFace, sync_wifi.AccessPointFace),
    (wifi_access_point.DHCP, sync_wifi.DHCP),
    (wifi_eventmon.EventMonitor, sync_wifi.EventMonitor),
    (wifi_station.Station, sync_wifi.Station),
    (tls.TLSSocket, sync.TLSSocket),
    (tls.TLS, sync.TLS),
    (tls_cert.Cert, sync.Cert),
    (board.Board, sync.Board),
    (files.Files, sync_files.Files),
]

#: Machinery of the asyncio classes that is no one's to call; and what a context manager of the sync class has more.
INTERNAL = {
    handle.Remote: {"must_stay", "arrived", "fail"},
    board.Board: {"open", "prompt", "create_connection", "create_server", "create_datagram_endpoint"},
    tmr.Timer: {"expired"},
    net.Net: {"make"},
}

#: What is here only.
OURS = {board.Board: {"asyncio_board", "chunk_name"}}  # the latter is a plain attribute there
#: Parts of a board that are no classes of ours.
PLAIN = (str, int, float, bytes, tuple, dict, type(None), Enum)

#: What takes or gives streams, which are a kind of their own here.
STREAMS = {"open_connection", "start_server"}


def public(kind: type) -> dict[str, object]:
    return {
        name: member
        for base in reversed(kind.__mro__[:-1])
        for name, member in vars(base).items()
        if (not name.startswith("_") or name == "__call__") and (callable(member) or isinstance(member, property))
    }


@pytest.mark.parametrize(("there", "here"), PAIRS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_names_and_signatures_are_the_same(there: type, here: type) -> None:
    internal = set().union(*(names for kind, names in INTERNAL.items() if issubclass(there, kind)))
    wanted = {name: member for name, member in public(there).items() if name not in internal}
    given = {name: member for name, member in public(here).items() if name not in OURS.get(there, ())}
    assert sorted(wanted) == sorted(given)
    for name, member in wanted.items():
        if isinstance(member, property):
            assert isinstance(given[name], property), name
            continue
        assert not inspect.iscoroutinefunction(given[name]), name
        theirs, ours = inspect.signature(member), inspect.signature(given[name])  # type: ignore[arg-type]
        if name in STREAMS:
            assert [(each.name, each.kind, each.default) for each in theirs.parameters.values()] == [
                (each.name, each.kind, each.default) for each in ours.parameters.values()
            ]
            continue
        assert theirs.parameters == ours.parameters, name
        awaited = str(theirs.return_annotation).removeprefix("Coroutine[Any, Any, ").removesuffix("]")
        assert str(ours.return_annotation) in (str(theirs.return_annotation), awaited), name


def kinds(kind: type) -> set[type]:
    """A class and all below it."""
    return {kind}.union(*map(kinds, kind.__subclasses__()))


def test_every_kind_of_handle_has_its_face() -> None:
    ours = {kind for kind in kinds(handle.Remote) if kind.__module__.startswith("bridge.")}
    assert {kind for kind in ours if not kind.__subclasses__()} == {*KINDS}
    assert {(there, here) for there, here in KINDS.items()} <= {*PAIRS}


def test_all_that_a_board_has_is_here_and_compared(opened: sync.Board) -> None:
    def compare(there: object, here: object, where: str) -> list[str]:
        if isinstance(there, PLAIN):
            return [] if type(there) is type(here) and there == here else [f"{where} is another"]
        found = [] if (type(there), type(here)) in PAIRS else [f"{where} is compared by no test"]
        internal = set().union(*(names for kind, names in INTERNAL.items() if isinstance(there, kind)))
        for name in {name for name in dir(there) if not name.startswith("_")} - internal - {"MODULE"}:
            part = inspect.getattr_static(there, name)
            if isinstance(part, property) or callable(part) or isinstance(part, staticmethod | classmethod):
                continue  # `test_names_and_signatures_are_the_same` looks at those
            if not hasattr(here, name):
                found.append(f"{where}.{name} is not there")
            elif name not in ("lua", "EVENTS"):  # every name of Lua's would be there
                found += compare(getattr(there, name), getattr(here, name), f"{where}.{name}")
        return found

    assert compare(opened.asyncio_board, opened, "board") == []
    assert type(opened.lua) is sync.LuaName


def test_a_board_is_opened_alike() -> None:
    theirs, ours = (inspect.signature(kind).parameters for kind in (bridge.open_board, sync.open_board))
    assert [*theirs] == [*ours, "owns_port", "start"], "of ports that are open already, and for tests"
    assert [theirs[name].default for name in ours] == [each.default for each in ours.values()]


@pytest.fixture(scope="module")
def opened() -> Iterator[sync.Board]:
    with sync.open_board("virtual:?cpu=0&baud_pacing=0") as made:
        yield made


def test_values_objects_and_callbacks(opened: sync.Board) -> None:
    printed: list[bytes] = []
    opened.on("console", printed.append)
    assert opened.eval("1+1") == 2
    assert opened.exec("print(...) return 1, 2", 7) == (1, 2)
    assert opened.lua.node.heap() > 1000
    with pytest.raises(LuaError):
        opened.eval("nosuch()")
    timer = opened.lua.tmr.create()
    seen: list[object] = []
    done = threading.Event()

    def tick(same: object) -> None:
        # On the callback thread: it may call the board, and the object is the one that is known.
        seen.extend((same, opened.eval("3"), threading.current_thread().name))
        done.set()

    assert timer.alarm(1, 0, tick) is True
    assert done.wait(10)
    assert seen == [timer, 3, "bridge-callbacks"]
    assert b"".join(printed) == b"7\r\n"
    timer.release()
    assert "closed" in repr(timer)


def test_names_and_assignments(opened: sync.Board) -> None:
    for assign in (
        lambda: setattr(opened.lua, "x", 5),
        lambda: setattr(opened.lua.wifi, "x", 5),
        lambda: opened.lua.__setitem__("x", 5),
        lambda: delattr(opened.lua, "x"),
    ):
        with pytest.raises(UsageError, match=r"board\.exec"):
            assign()
    opened.exec("names = {get = function() return 6 end}")
    assert opened.lua.names["get"]() == 6 and opened.lua["names"]["get"].get() is not None
    opened.exec("names = nil")
    timer = opened.lua.tmr.create()
    assert timer["state"]() is None and timer.state is State.OPEN
    with pytest.raises(LuaError):
        timer.on("message")
    with pytest.raises(UsageError, match=r"object\.x = value"):
        timer.x = 5
    timer.release()


def test_a_server_on_the_board_answers_the_host(opened: sync.Board) -> None:
    server = opened.net.createServer(30)

    def client(connection: sync.TCPSocket) -> None:
        connection.on("receive", lambda connection, data: connection.send(b"echo " + data))

    server.listen(8080, client)
    info = opened.net.ifinfo()
    assert info is not None
    with socket.create_connection((info["ip"], 8080), timeout=10) as peer:
        peer.sendall(b"hello")
        assert peer.recv(100) == b"echo hello"
    server.close()


def test_older_forms_warn_once_at_the_line_of_the_caller(opened: sync.Board) -> None:
    board_net = opened.net
    for form, kind in (
        (lambda: board_net.createConnection(board_net.UDP), sync.UDPSocket),
        (lambda: board_net.createConnection(board_net.TCP, 1), sync.TLSSocket),
        (lambda: board_net.createServer(board_net.TCP, 60), sync.TCPServer),
        (lambda: board_net.cert, sync.Cert),
    ):
        with pytest.warns(DeprecationWarning) as seen:
            made = form()
        assert isinstance(made, kind) and len(seen) == 1 and seen[0].filename == __file__
