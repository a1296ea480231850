from __future__ import annotations

import asyncio
import struct
import urllib.error
import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.demo.servers import answer_to, name_server, page_server


def query(name: str, kind: int = 1, number: int = 0x1234) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def test_the_page_and_nothing_else() -> None:
    async def main() -> None:
        async with page_server(b"page" * 1000, "127.0.0.1") as port:

            def get(path: str) -> bytes:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                    return bytes(answer.read())

            assert await asyncio.to_thread(get, "/page") == b"page" * 1000
            with pytest.raises(urllib.error.HTTPError, match="404"):
                await asyncio.to_thread(get, "/other")

    asyncio.run(main())


def test_a_name_by_the_book() -> None:
    asked = query("Page.Demo.test")
    answer = answer_to(asked, {"page.demo.test": "127.0.0.9"})
    assert answer is not None
    number, flags, questions, answers, _, _ = struct.unpack_from(">HHHHHH", answer)
    assert (number, flags >> 15, flags & 15, questions, answers) == (0x1234, 1, 0, 1, 1)
    assert answer[12 : len(asked)] == asked[12:] and answer[-4:] == bytes((127, 0, 0, 9))


def test_names_it_does_not_know_and_other_records() -> None:
    for asked in (query("other.test"), query("page.demo.test", kind=28)):
        answer = answer_to(asked, {"page.demo.test": "127.0.0.9"})
        assert answer is not None and struct.unpack_from(">H", answer, 2)[0] & 15 == 3


def test_over_the_network() -> None:
    class Client(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.answer.set_result(data)

    async def main() -> None:
        async with name_server({"a.test": "127.0.0.3"}) as where:
            host, _, port = where.partition(":")
            transport, client = await asyncio.get_running_loop().create_datagram_endpoint(
                Client, remote_addr=(host, int(port))
            )
            transport.sendto(b"no query")
            transport.sendto(query("a.test"))
            async with asyncio.timeout(10):
                assert (await client.answer)[-4:] == bytes((127, 0, 0, 3))
            transport.close()

    asyncio.run(main())


@given(st.binary())
def test_anything_may_be_asked(data: bytes) -> None:
    answer_to(data, {"a": "127.0.0.1"})
