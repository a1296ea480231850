from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from bridge.streams.vanished import owned_in, spelled, vanished

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:C001 08 00000000:00000000 00:00000000 00000000  1000        0 81001 1 0 100 0 0 10 0
   1: 0100007F:C001 0100007F:1F90 05 00000000:00000000 00:00000000 00000000  1000        0 {} 1 0 100 0 0 10 0
   2: 0100007F:1F90 0100007F:C002 08 00000000:00000000 00:00000000 00000000  1000        0 81004 1 0 100 0 0 10 0
   3: 0100007F:1F90 0200007F:C003 08 00000000:00000000 00:00000000 00000000  1000        0 81005 1 0 100 0 0 10 0
"""
OWN = ("127.0.0.1", 8080)
little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="the table above is one of x86 and ARM")


@little_endian
def test_who_owns_the_other_end() -> None:
    peer = ("127.0.0.1", 0xC001)
    assert owned_in(TABLE.format("81002"), OWN, peer) is False
    assert owned_in(TABLE.format("0"), OWN, peer) is True
    assert owned_in(TABLE.format("0"), OWN, ("127.0.0.1", 0xC002)) is True, "the system has forgotten it"
    assert owned_in(TABLE.format("0"), OWN, ("127.0.0.2", 0xC003)) is None, "may be another computer's"
    assert owned_in(TABLE.format("0"), OWN, ("127.0.0.1", 9)) is None, "another system's table"


@little_endian
def test_addresses_as_the_tables_have_them() -> None:
    assert spelled(("127.0.0.1", 80)) == "0100007F:0050"
    assert spelled(("::1", 80)) == "00000000000000000000000001000000:0050"
    assert spelled(("fe80::1%lo", 1)) == "000080FE000000000000000001000000:0001"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_program_that_closes_half_and_one_that_closes_all(host: str) -> None:
    async def scenario() -> None:
        accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        try:
            server = await asyncio.start_server(lambda *stream: accepted.put_nowait(stream), host, 0)
        except OSError:
            pytest.skip("this computer has no IPv6")
        client = socket.create_connection(server.sockets[0].getsockname()[:2])
        reader, writer = await accepted.get()
        assert vanished(writer) is False
        client.shutdown(socket.SHUT_WR)
        assert await reader.read() == b"" and vanished(writer) is False
        client.close()
        assert vanished(writer) is True
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())


def test_what_is_no_socket_is_not_known() -> None:
    class Writer:
        def get_extra_info(self, name: str) -> None:
            return None

    assert vanished(Writer()) is None  # type: ignore[arg-type]
