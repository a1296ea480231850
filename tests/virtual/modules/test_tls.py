"""The `tls` module as a whole, against OpenSSL."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.options import VirtualOptions
from tests.programs import require
from tests.virtual.asked import answers
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import lines
from tests.virtual.modules.openssl_server import s_server
from tests.virtual.modules.tls_bench import (
    CONNECTED,
    FAILED,
    PRELUDE,
    Identity,
    connect,
    identity,
    issue,
    on_network,
    secure,
    server_context,
)
from tests.virtual.test_board import Terminal

MODULES = "node,tls,net,tmr,uart"
Scenario = Callable[[Terminal, int], Awaitable[None]]


def test_the_module_is_what_a_release_build_has() -> None:
    said = answers(
        "for k in pairs(tls) do uart.write(0,k,' ') end for k in pairs(tls.cert) do uart.write(0,k,' ') end print()",
        "print(type(tls.createConnection()),tls.setDebug)",
        modules=MODULES,
    )
    assert said[0].split() == ["createConnection", "cert", "verify", "auth"]
    assert said[1] == "userdata\tnil"


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("kind", ["ec", "ec384", "rsa"])
def test_data_goes_both_ways(kind: str, lua: str) -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await connect(bench) == CONNECTED
        assert await lines(bench, 'sk:send("hello")', 2) == ["EV sent\tsk", "EV receive\t5\thello"]
        assert await lines(bench, "sk:close()", 2) == ["EV disconnection\tnil"]
        assert await connect(bench) == CONNECTED

    on_network(test, secure(server_context(identity(kind))), lua=lua)


def test_all_byte_values_pass() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("s='' for i=0,255 do s=s..string.char(i) end got=''")
        await connect(bench, before="sk:on('receive',function(_,d) got=got..d end)")
        await bench.type("sk:send(s)", 2)
        assert await lines(bench, "=got==s") == ["true"]

    on_network(test, secure(server_context(identity())))


@pytest.mark.parametrize(
    "ciphers", ["ECDHE+AESGCM", "DHE+AESGCM", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES128-CCM8"]
)
def test_ciphers(ciphers: str, tmp_path: Path) -> None:
    context = server_context(identity("rsa"))
    context.set_ciphers(ciphers)
    parameters = tmp_path / "dh.pem"
    make = [
        require("openssl"),
        "genpkey",
        "-genparam",
        "-algorithm",
        "DH",
        "-pkeyopt",
        "group:ffdhe2048",
        "-outform",
        "PEM",
    ]
    subprocess.run([*make, "-out", str(parameters)], check=True, capture_output=True)
    context.load_dh_params(str(parameters))
    seen: list[Any] = []

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await connect(bench) == CONNECTED
        said = await lines(bench, 'sk:send(("0123456789"):rep(300))', 3)
        assert [line.split("\t")[1] for line in said if "receive" in line] == ["1460", "1460", "80"]
        assert seen[0].object.version() == "TLSv1.2"

    on_network(test, secure(context, seen=seen))


@pytest.mark.parametrize(
    ("what", "settings"),
    [
        ("TLS 1.3 only", {"minimum_version": ssl.TLSVersion.TLSv1_3}),
        ("TLS 1.1 only", {"maximum_version": ssl.TLSVersion.TLSv1_1, "minimum_version": ssl.TLSVersion.TLSv1_1}),
        ("RSA key exchange only", {"ciphers": "kRSA+AESGCM"}),
        ("ChaCha20 only", {"ciphers": "CHACHA20"}),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_what_the_server_wants_but_the_board_has_not_fails_with_a_reconnection(
    what: str, settings: dict[str, Any]
) -> None:
    context = server_context(identity("rsa"))
    if "ciphers" in settings:
        context.set_ciphers(settings["ciphers"])
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    for name in settings.keys() - {"ciphers"}:
        setattr(context, name, settings[name])
    seen: list[Any] = []

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await connect(bench) == FAILED, what
        assert isinstance(seen[0], ssl.SSLError), what

    on_network(test, secure(context, seen=seen))


# --- openssl s_server, over real sockets ---


def with_server(
    test: Callable[[Terminal, int], Awaitable[None]], folder: Path, served: Identity, *options: str
) -> None:
    """Run a test at the terminal of a board that reaches an `openssl s_server`."""

    async def main() -> None:
        async with (
            s_server(folder, served, *options) as port,
            VirtualBoard(VirtualOptions(cpu=0, network="host")) as board,
        ):
            terminal = Terminal(board)
            await board.answered()
            board.host_write(b"=1\n")
            await terminal.until(b"\r\n1\r\n> ")
            board.host_write("\n".join((*PRELUDE, "=2\n")).encode())
            await terminal.until(b"\r\n2\r\n> ")
            await test(terminal, port)

    asyncio.run(main())


def go(port: int) -> bytes:
    """The line that connects."""
    return f'sk=mk() sk:connect({port},"127.0.0.1")\n'.encode()


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_s_server_and_the_board_talk(kind: str, tmp_path: Path) -> None:
    async def test(terminal: Terminal, port: int) -> None:
        terminal.board.host_write(go(port))
        await terminal.until(b"EV connection\tsk")
        terminal.board.host_write(b'sk:send("stressed\\n")\n')
        await terminal.until(b"EV receive\t9\tdesserts")
        terminal.board.host_write(b"sk:close()\n")
        await terminal.until(b"EV disconnection\tnil")

    with_server(test, tmp_path, identity(kind), "-rev")


def test_s_server_sends_a_file_in_records_that_the_board_takes(tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(bytes(range(256)) * 400)

    async def test(terminal: Terminal, port: int) -> None:
        await terminal.line(b"n,most=0,0 function take(_,d) n=n+#d if #d>most then most=#d end end")
        terminal.board.host_write(go(port))
        await terminal.until(b"EV connection\tsk")
        await terminal.line(b"sk:on('receive',take)")
        terminal.board.host_write(b'sk:send("GET /big.bin HTTP/1.0\\r\\n\\r\\n")\n')
        await terminal.until(b"EV disconnection\tnil")
        total, most = (await terminal.line(b"=n,most")).split(b"\t")
        assert int(total) > 256 * 400 and most == b"1460"

    with_server(test, tmp_path, identity(), "-WWW")


@pytest.mark.parametrize("options", [("-tls1_3",), ("-cipher", "kRSA", "-tls1_2"), ("-Verify", "1")])
def test_s_server_that_wants_what_the_board_has_not(options: tuple[str, ...], tmp_path: Path) -> None:
    async def test(terminal: Terminal, port: int) -> None:
        terminal.board.host_write(go(port))
        await terminal.until(b"EV reconnection\tsk\tnil")

    with_server(test, tmp_path, identity("rsa"), *options)


def test_s_server_gets_a_certificate(tmp_path: Path) -> None:
    authority = issue("authority", ca=True)
    client = issue("board", "rsa", issuer=authority)
    (tmp_path / "ca.pem").write_bytes(authority.certificate)

    async def test(terminal: Terminal, port: int) -> None:
        for name, text in (("crt", client.certificate), ("key", client.key), ("ca", authority.certificate)):
            await terminal.line(f"{name}=''".encode())
            for line in text.decode().splitlines():
                await terminal.line(f"{name}={name}..'{line}\\n'".encode())
        assert b"true" in await terminal.line(b"=tls.cert.auth(crt,key)")
        assert b"true" in await terminal.line(b"=tls.cert.verify(ca)")
        terminal.board.host_write(go(port))
        await terminal.until(b"EV connection\tsk")

    options = ("-rev", "-Verify", "1", "-CAfile", "ca.pem", "-verify_return_error")
    with_server(test, tmp_path, issue("server", issuer=authority), *options)


def test_certificates_survive_in_the_flash_of_a_whole_board() -> None:
    """The factory firmware boots from a flash into which `tls.cert` has written."""

    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", cpu=0)) as board:
            terminal = Terminal(board)
            await board.answered()
            board.host_write(b"=1\n")
            await terminal.until(b"\r\n1\r\n> ")
            assert b"no certificates found" in await terminal.line(b"=pcall(tls.cert.verify,true)")
            await terminal.line(b"pem='-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----'")
            assert (await terminal.line(b"=tls.cert.verify(pem)")).endswith(b"true")
            board.host_write(b"node.restart()\n")
            await terminal.until(b"SSL: true")
            await terminal.until(b"\n> ")
            assert (await terminal.line(b"=tls.cert.verify(true)")).endswith(b"true")

    clock.run(main())
