from __future__ import annotations

import asyncio
import ssl

import pytest

from bridge.peers import tls_server


async def test_who_knows_its_authority_believes_it_and_nobody_else() -> None:
    async with asyncio.timeout(20), tls_server("127.0.0.1", name="board.test") as peer:
        for name in ("127.0.0.1", "board.test"):
            context = ssl.create_default_context(cadata=peer.authority)
            reader, writer = await asyncio.open_connection(peer.host, peer.port, ssl=context, server_hostname=name)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            assert writer.get_extra_info("ssl_object").version() == "TLSv1.2"
            writer.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(peer.host, peer.port, ssl=ssl.create_default_context())
        assert peer.connections == 2


async def test_who_never_begins_a_handshake_is_let_go_of_at_the_end() -> None:
    async with asyncio.timeout(20):
        async with tls_server("127.0.0.1") as peer:
            silent, writer = await asyncio.open_connection(peer.host, peer.port)
            # Who comes later is served: the one before has been taken by then.
            context = ssl.create_default_context(cadata=peer.authority)
            _, other = await asyncio.open_connection(peer.host, peer.port, ssl=context)
            other.close()
        assert await silent.read() == b""
        writer.close()
