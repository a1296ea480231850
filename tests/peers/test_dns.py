from __future__ import annotations

import asyncio
import shutil

import pytest

from bridge.errors import UsageError
from bridge.peers import dns_server, udp_socket

#: A question for the address of board.test, as dig asks it, without options.
QUERY = bytes.fromhex("abcd 0100 0001 0000 0000 0000 05626f617264 0474657374 00 0001 0001")


async def test_names_are_answered_and_noted() -> None:
    async with asyncio.timeout(10), dns_server("127.0.0.1", {"Board.test": "192.0.2.7"}, port=0) as peer:
        answer = peer.answer(QUERY)
        assert answer is not None and answer[:4] == bytes.fromhex("abcd8180") and answer[-4:] == bytes([192, 0, 2, 7])
        async with udp_socket("127.0.0.1") as own:
            own.send(QUERY, (peer.host, peer.port))
            assert (await own.received.get())[0] == answer
        assert peer.queries == ["board.test", "board.test"]
        peer.names.clear()
        refused = peer.answer(QUERY)
        assert refused is not None and refused[2:4] == bytes.fromhex("8183"), "there is no such name"
        peer.silent = True
        assert peer.answer(QUERY) is None and len(peer.queries) == 4


@pytest.mark.parametrize("query", [b"", QUERY[:11], QUERY[:20], QUERY[:12] + b"\xc0\x0c\0\1\0\1", b"\xff" * 40])
async def test_what_is_no_query_gets_no_answer(query: bytes) -> None:
    async with dns_server("127.0.0.1", port=0) as peer:
        assert peer.answer(query) is None and peer.queries == []


async def test_an_independent_client_understands_it() -> None:
    if shutil.which("dig") is None:
        pytest.skip("dig is not on this machine")
    async with dns_server("127.0.0.1", {"board.test": "192.0.2.7"}, port=0) as peer:
        process = await asyncio.create_subprocess_exec(
            *("dig", "@127.0.0.1", "-p", str(peer.port), "board.test", "+short", "+noedns"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert (await process.communicate())[0] == b"192.0.2.7\n"


async def test_what_cannot_be_is_said() -> None:
    with pytest.raises(UsageError, match="no IPv4 address"):
        async with dns_server("127.0.0.1", {"board.test": "nowhere"}, port=0):
            pass
    async with dns_server("127.0.0.1", port=0) as peer:
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1 port {peer.port}"):
            async with dns_server("127.0.0.1", port=peer.port):
                pass
