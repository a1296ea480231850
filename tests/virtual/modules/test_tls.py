"""The `tls` module as a whole, against OpenSSL."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.asked import answers
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import lines
from tests.virtual.modules.tls_bench import CONNECTED, FAILED, connect, identity, on_network, secure, server_context

MODULES = "node,tls,net,tmr,uart"


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
    make = ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-outform", "PEM"]
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
