"""`tls.cert`: who is trusted, and who the board says it is."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import lines
from tests.virtual.modules.tls_bench import (
    CONNECTED,
    FAILED,
    Identity,
    connect,
    issue,
    on_network,
    secure,
    server_context,
)

NOTE = "Warning, deprecated API! tls.cert.%s's old interface. It will be removed soon. See documentation for details."
CA = issue("authority", ca=True)
OTHER = issue("another authority", ca=True)
SERVER = issue("server.test", issuer=CA)
CLIENT = issue("board", "rsa", issuer=CA)
EC_CLIENT = issue("board", "ec", issuer=CA)


async def define(bench: Bench, name: str, text: bytes) -> None:
    """Make a global string of a PEM text, in lines that the console takes."""
    await bench.type(f"{name}=''")
    for line in text.decode().splitlines():
        await bench.type(f"{name}={name}..'{line}\\n'")


# --- verify ---


def test_without_verification_anybody_is_taken() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await connect(bench) == CONNECTED

    on_network(test, secure(server_context(issue("who", days=(-9, -1)))))


@pytest.mark.parametrize("form", ["pem", "function"])
@pytest.mark.parametrize(
    ("server", "said"),
    [
        (SERVER, CONNECTED),
        (issue("another name", issuer=CA), CONNECTED),
        (issue("expired", issuer=CA, days=(-9, -1)), CONNECTED),
        (issue("not yet", issuer=CA, days=(8, 9)), CONNECTED),
        (issue("behind an intermediate", issuer=issue("between", issuer=CA, ca=True)), CONNECTED),
        (issue("rsa", "rsa", issuer=CA), CONNECTED),
        (CA, CONNECTED),
        (issue("stranger", issuer=OTHER), FAILED),
        (issue("authority", ca=True), FAILED),
        (issue("behind what may not issue", issuer=issue("server", issuer=CA)), FAILED),
    ],
    ids=["good", "name", "expired", "early", "chain", "rsa", "itself", "stranger", "namesake", "no authority"],
)
def test_who_is_trusted(server: Identity, said: list[str], form: str) -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await define(bench, "pem", CA.certificate)
        if form == "pem":
            assert await lines(bench, "=tls.cert.verify(pem)") == [NOTE % "verify", "true"]
        else:
            await bench.type("function ca(k) if k==1 then return pem end end")
            assert await lines(bench, "=tls.cert.verify(ca)") == ["true"]
        assert await connect(bench) == said
        assert await lines(bench, "=tls.cert.verify(nil)") == ["true"]
        assert await connect(bench) == CONNECTED

    on_network(test, secure(server_context(server)))


def test_verify_keeps_the_certificate_in_flash_over_a_reset() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("tls.cert.verify(false)")
        said = await lines(bench, "=pcall(tls.cert.verify,true)")
        assert said == [NOTE % "verify", "false\tno certificates found"]
        await define(bench, "pem", OTHER.certificate)
        await bench.type("tls.cert.verify(pem)")
        erased = bench.statistics.sectors_erased
        await bench.type("tls.cert.verify(pem)")
        assert bench.statistics.sectors_erased == erased
        assert await connect(bench) == FAILED
        await bench.type("node.restart()", 2)
        assert await lines(bench, "=tls.cert.verify(true)") == [NOTE % "verify", "true"]
        await bench.type("ok=0 sk=tls.createConnection() sk:on('connection',function() ok=1 end)")
        await bench.type('sk:on("reconnection",function() ok=2 end) sk:connect(7443,"10.77.0.1")', 3)
        assert await lines(bench, "=ok") == ["2"]

    on_network(test, secure(server_context(SERVER)))


@pytest.mark.parametrize(
    ("pem", "error"),
    [
        ("''", "No PEM header"),
        ("'-----BEGIN RSA PRIVATE KEY-----'", "Wrong PEM type"),
        ("'-----BEGIN CERTIFICATE-----'", "Incorrect PEM format"),
        ("'-----BEGIN CERTIFICATE-----\\n!'", "Invalid character in PEM"),
        ("'-----BEGIN CERTIFICATE-----\\nAAAA'", "Invalid PEM format data"),
        ("'-----BEGIN CERTIFICATE-----\\nAAA-----END CERTIFICATE-----'", "Invalid PEM format data"),
        ("'-----BEGIN CERTIFICATE-----\\nAAAA-----END X-----'", "Invalid PEM format data"),
    ],
)
def test_texts_that_are_no_certificate(pem: str, error: str) -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        for name in ("verify", "auth"):
            said = await lines(bench, f"=pcall(tls.cert.{name},{pem})")
            assert said == [NOTE % name, f"false\t{error}"]

    on_network(test)


def test_arguments_of_other_types() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await lines(bench, "=tls.cert.verify()") == [NOTE % "verify", "true"]
        assert await lines(bench, "=tls.cert.verify(nil)") == ["true"]
        assert await lines(bench, "=pcall(tls.cert.verify,0)") == [NOTE % "verify", "false\tno certificates found"]
        await bench.type("pem='-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----'")
        assert await lines(bench, "=pcall(tls.cert.auth,pem,nil)") == [NOTE % "auth", "false\tNo PEM blob"]

    on_network(test)


@pytest.mark.parametrize(
    "function",
    ["error('no')", "return {}", "return 'no certificate'", "return 7", "if k==1 then return '' end", "return nil"],
)
def test_a_verify_function_that_has_no_certificate_fails_the_connection(function: str) -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type(f"tls.cert.verify(function(k) {function} end)")
        assert await connect(bench) == FAILED
        await bench.type("tls.cert.verify(false)")
        assert await connect(bench) == CONNECTED

    on_network(test, secure(server_context(SERVER)))


def test_a_verify_function_that_never_ends_runs_out_of_heap() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await define(bench, "pem", CA.certificate)
        await bench.type("n=0 tls.cert.verify(function(k) n=n+1 return pem end)")
        assert await connect(bench) == FAILED
        assert 5 < int((await lines(bench, "=n"))[0]) < 40

    on_network(test, secure(server_context(SERVER)))


def test_with_further_arguments_the_last_one_is_taken_for_the_function() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("n=0 tls.cert.verify(function() n=n+1 end,5)")
        assert await connect(bench) == FAILED and await lines(bench, "=n") == ["0"]

    on_network(test, secure(server_context(SERVER)))


# --- auth ---


def subject(stream: Any) -> str:
    """Common name of the board's certificate."""
    return str(stream.object.getpeercert()["subject"][0][0][1])


def test_a_server_that_wants_a_certificate_and_gets_none() -> None:
    seen: list[Any] = []

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await connect(bench) == FAILED
        assert isinstance(seen[0], ssl.SSLError) and "PEER_DID_NOT_RETURN_A_CERTIFICATE" in str(seen[0])

    on_network(test, secure(server_context(SERVER, client_ca=CA), seen=seen))


def test_auth_from_flash() -> None:
    seen: list[Any] = []

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await define(bench, "crt", CLIENT.certificate)
        await define(bench, "key", CLIENT.key)
        assert await lines(bench, "=tls.cert.auth(crt,key)") == [NOTE % "auth", "true"]
        await bench.type("crt,key=nil,nil")
        assert await connect(bench) == CONNECTED, seen
        assert subject(seen[0]) == "board"
        assert await lines(bench, "=tls.cert.auth(false)") == [NOTE % "auth", "true"]
        assert await connect(bench) == FAILED

    on_network(test, secure(server_context(SERVER, client_ca=CA), seen=seen))


@pytest.mark.parametrize("client", [CLIENT, EC_CLIENT], ids=["rsa", "ec"])
def test_auth_by_a_function(client: Identity) -> None:
    seen: list[Any] = []

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await define(bench, "crt", client.certificate)
        await define(bench, "key", client.key)
        await bench.type("asked='' function me(k) asked=asked..k if k==0 then return key end")
        await bench.type("if k==1 then return crt end end")
        assert await lines(bench, "=tls.cert.auth(me)") == ["true"]
        assert await connect(bench) == CONNECTED, seen
        assert subject(seen[0]) == "board" and await lines(bench, "=asked") == ["012"]

    on_network(test, secure(server_context(SERVER, client_ca=CA), seen=seen))


def test_a_certificate_without_its_key_in_flash_fails_the_connection() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await define(bench, "crt", CLIENT.certificate)
        assert await lines(bench, "=tls.cert.auth(crt)") == [NOTE % "auth", "true"]
        assert await connect(bench) == FAILED

    on_network(test, secure(server_context(SERVER)))


def test_an_ec_key_cannot_be_stored_in_flash() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await define(bench, "crt", EC_CLIENT.certificate)
        await define(bench, "key", EC_CLIENT.key)
        assert await lines(bench, "=pcall(tls.cert.auth,crt,key)") == [NOTE % "auth", "false\tWrong PEM type"]

    on_network(test)
