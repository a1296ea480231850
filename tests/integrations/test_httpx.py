"""httpx over a virtual board that is served by RFC 2217, against real servers on loopback."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest

import bridge.sync
from bridge.errors import BoardReset, ConnectRefused, DNSFailed
from bridge.integrations.httpx import BoardTransport, SyncBoardTransport
from tests.heap_baseline import heap_comes_back
from tests.integrations.rig import (
    LARGE,
    NAME,
    OF_BOARD,
    Bench,
    believing,
    encrypted,
    run,
    tapped,
    unused,
    web_server,
)
from tests.variants import by_night
from tests.virtual.modules.tls_bench import issue, server_context


def test_plain_http() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board), base_url=server.url()) as client:
                assert (await client.get("/here")).text == f"asked for /here of {NAME}:{server.server_port}"
                assert (await client.get("/large")).content == LARGE
                assert (await client.post("/", content=b"what is sent")).content == b"what is sent"
                assert server.clients == {f"{there.network}.2"}, "it came from the board"

    run(scenario)


def test_tls_of_the_host_names_the_server_and_takes_records_of_any_size() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted()) as server:
            async with (
                tapped(there.host, server.server_port) as tap,
                httpx.AsyncClient(transport=BoardTransport(there.board, verify=believing())) as client,
            ):
                url = f"https://{NAME}:{tap.port}"
                assert (await client.get(f"{url}/large")).content == LARGE
                assert "asked for /here" in (await client.get(f"{url}/here")).text
            assert server.names == [NAME]
            assert tap.records().count(2**14 + 17) >= 12, "16 KiB of data in each, and a tag"

    run(scenario)


def test_tls_of_the_host_believes_no_stranger_and_no_other_name() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted()) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board)) as client:
                with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
                    await client.get(server.url("https"))
            async with httpx.AsyncClient(transport=BoardTransport(there.board, verify=believing())) as client:
                with pytest.raises(httpx.ConnectError, match="certificate is not valid for"):
                    await client.get(f"https://{there.host}:{server.server_port}")
            async with httpx.AsyncClient(transport=BoardTransport(there.board, verify=False)) as client:
                assert (await client.get(f"https://{there.host}:{server.server_port}")).status_code == 200

    run(scenario)


def test_tls_of_the_board() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=server_context(OF_BOARD)) as server:
            transport = BoardTransport(there.board, tls="board")
            async with httpx.AsyncClient(transport=transport, base_url=server.url("https"), timeout=60) as client:
                answers = await asyncio.gather(*(client.get(f"/{number}") for number in range(4)))
                assert [answer.text[:12] for answer in answers] == [f"asked for /{number}" for number in range(4)]
                assert (await client.post("/", content=bytes(2_500))).content == bytes(2_500)
            assert server.names == [None] and server.accepted == 1

    run(scenario)


@pytest.mark.parametrize("tls", by_night(["none", "host", "board"], but=["board"]))
def test_the_heap_of_the_board_comes_back(tls: str) -> None:
    contexts = {"none": None, "host": encrypted(), "board": server_context(OF_BOARD)}
    verify, scheme = (False, "http" if tls == "none" else "https")

    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=contexts[tls]) as server:

            async def once() -> None:
                transport = BoardTransport(there.board, tls="board" if tls == "board" else "host", verify=verify)
                async with httpx.AsyncClient(transport=transport, timeout=60) as client:
                    assert (await client.post(server.url(scheme), content=bytes(2_500))).content == bytes(2_500)

            await heap_comes_back(there.board, once)

    run(scenario)


def test_an_answer_that_is_more_than_the_board_can_decrypt_is_told() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=server_context(OF_BOARD)) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board, tls="board"), timeout=60) as client:
                with pytest.raises(httpx.ReadError, match="more came than its heap holds"):
                    await client.get(server.url("https", "/large"))
                assert (await client.get(server.url("https"))).status_code == 200

    run(scenario)


def test_the_board_believes_whom_it_is_told_to_believe() -> None:
    async def scenario(there: Bench) -> None:
        await there.board.tls.cert.verify(lambda number: OF_BOARD.certificate if number == 1 else None)
        with web_server(there.host, context=server_context(issue("stranger"))) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board, tls="board"), timeout=60) as client:
                with pytest.raises(httpx.ConnectError, match="TLS of the board"):
                    await client.get(server.url("https"))
        with web_server(there.host, context=server_context(OF_BOARD)) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board, tls="board"), timeout=60) as client:
                assert (await client.get(server.url("https"))).status_code == 200

    run(scenario)


def test_a_firmware_without_tls_says_what_to_do() -> None:
    async def scenario(there: Bench) -> None:
        async with httpx.AsyncClient(transport=BoardTransport(there.board, tls="board")) as client:
            with pytest.raises(httpx.ConnectError, match="no module tls.*Flash an image"):
                await client.get(f"https://{there.host}/")

    run(scenario, modules="file,net,node,ow,tmr,uart,wifi")


def test_more_requests_than_connections_wait_for_their_turn() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            server.gate.clear()
            transport = BoardTransport(there.board)
            async with httpx.AsyncClient(transport=transport, base_url=server.url(), timeout=60) as client:
                tasks = [asyncio.ensure_future(client.get(f"/{number}")) for number in range(20)]
                await server.waiting(5)
                assert there.connections == 5 and not any(task.done() for task in tasks)
                server.gate.set()
                answers = await asyncio.gather(*tasks)
                assert sorted(answer.url.path for answer in answers) == sorted(f"/{number}" for number in range(20))
                assert all(f"asked for {answer.url.path} " in answer.text for answer in answers)
            assert server.accepted == 5 and server.most == 5

    run(scenario)


def test_a_queue_that_takes_too_long_is_a_pool_timeout() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            server.gate.clear()
            timeout = httpx.Timeout(60, pool=0.2)
            async with httpx.AsyncClient(transport=BoardTransport(there.board), timeout=timeout) as client:
                five = [asyncio.ensure_future(client.get(server.url())) for _ in range(5)]
                await server.waiting(5)
                with pytest.raises(httpx.PoolTimeout):
                    await client.get(server.url())
                server.gate.set()
                assert [answer.status_code for answer in await asyncio.gather(*five)] == [200] * 5

    run(scenario)


def test_idle_connections_with_one_server_give_way_to_another() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as first, web_server(there.host) as second:
            async with httpx.AsyncClient(transport=BoardTransport(there.board), timeout=30) as client:
                for server in (first, second):
                    answers = await asyncio.gather(*(client.get(server.url()) for _ in range(7)))
                    assert [answer.status_code for answer in answers] == [200] * 7

    run(scenario)


def test_a_refused_port() -> None:
    async def scenario(there: Bench) -> None:
        async with httpx.AsyncClient(transport=BoardTransport(there.board)) as client:
            with pytest.raises(httpx.ConnectError, match="refuses the connection") as caught:
                await client.get(f"http://{there.host}:{unused(there.host)}/")
        cause = caught.value.__cause__
        assert cause is not None and isinstance(cause.__cause__, ConnectRefused)

    run(scenario)


@pytest.mark.parametrize("name", ["nobody.test", "[::1]"])
def test_a_name_that_nobody_knows(name: str) -> None:
    async def scenario(there: Bench) -> None:
        async with httpx.AsyncClient(transport=BoardTransport(there.board), timeout=40) as client:
            with pytest.raises(httpx.ConnectError) as caught:
                await client.get(f"http://{name}/")
        cause = caught.value.__cause__
        assert cause is not None and isinstance(cause.__cause__, DNSFailed)

    run(scenario)


def test_a_server_that_resets_in_the_middle_of_the_body() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board), base_url=server.url()) as client:
                with pytest.raises(httpx.ReadError, match="reset the connection"):
                    await client.get("/reset")
                assert (await client.get("/again")).status_code == 200

    run(scenario)


def test_a_server_that_closes_in_the_middle_of_the_body() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board), base_url=server.url()) as client:
                with pytest.raises(httpx.RemoteProtocolError, match="incomplete message body|without sending complete"):
                    await client.get("/short")

    run(scenario)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("path", ["/silent", "/slow"])
def test_a_server_that_says_nothing_more(path: str, scheme: str) -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host, context=encrypted() if scheme == "https" else None) as server:
            transport = BoardTransport(there.board, verify=believing())
            timeout = httpx.Timeout(30, read=0.3)
            async with httpx.AsyncClient(transport=transport, base_url=server.url(scheme), timeout=timeout) as client:
                with pytest.raises(httpx.ReadTimeout):
                    await client.get(path)
                client.timeout = httpx.Timeout(30)
                assert (await client.get("/again")).status_code == 200

    run(scenario)


def test_an_address_where_nobody_answers_is_a_connect_timeout() -> None:
    async def scenario(there: Bench) -> None:
        async with httpx.AsyncClient(transport=BoardTransport(there.board), timeout=0.5) as client:
            with pytest.raises(httpx.ConnectTimeout):
                await client.get("http://198.51.100.1/")

    run(scenario)


def test_a_request_that_is_cancelled_leaves_nothing() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board), timeout=30) as client:
                task = asyncio.ensure_future(client.get(server.url(path="/silent")))
                await server.waiting(1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await there.settled(there.handles)
                assert (await client.get(server.url())).status_code == 200

    run(scenario)


def test_a_response_that_is_not_read_to_its_end() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board), timeout=30) as client:
                async with client.stream("GET", server.url(path="/large")) as response:
                    async for part in response.aiter_bytes():
                        assert LARGE.startswith(part)
                        break
                assert (await client.get(server.url())).status_code == 200

    run(scenario)


def test_a_body_that_is_made_as_it_is_sent() -> None:
    async def scenario(there: Bench) -> None:
        async def parts() -> AsyncIterator[bytes]:
            for number in range(5):
                yield bytes([number]) * 1_000

        with web_server(there.host) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board), timeout=30) as client:
                headers = {"Content-Length": "5000"}
                answer = await client.post(server.url(), content=parts(), headers=headers)
                assert answer.content == b"".join([bytes([number]) * 1_000 for number in range(5)])

    run(scenario)


def test_a_board_that_restarts_in_the_middle() -> None:
    async def scenario(there: Bench) -> None:
        with web_server(there.host) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board), timeout=60) as client:
                url = server.url()
                tasks = [asyncio.ensure_future(client.get(f"{url}/silent")) for _ in range(3)]
                await server.waiting(3)
                await there.board.reset()
                for failed in await asyncio.gather(*tasks, return_exceptions=True):
                    assert isinstance(failed, httpx.ReadError), failed
                    causes = []
                    while failed is not None:
                        causes.append(failed)
                        failed = failed.__cause__
                    assert isinstance(causes[-1], BoardReset), causes
                assert (await client.get(url)).status_code == 200, "and the board is there again"

    run(scenario)


@contextmanager
def sync_board(host: str, network: str) -> Iterator[bridge.sync.Board]:
    url = f"virtual:?baud_pacing=no&cpu=0&flash=0&address={network}.2&hosts={NAME}={host}"
    with bridge.sync.open_board(url) as board:
        yield board


def test_the_client_without_await() -> None:
    network = "127.231.7"
    threads = threading.active_count()
    with web_server(f"{network}.1") as plain, web_server(f"{network}.1", context=encrypted()) as secret:
        with sync_board(f"{network}.1", network) as board:
            transport = SyncBoardTransport(board, verify=believing())
            with httpx.Client(transport=transport, timeout=30) as client:
                assert "asked for /here" in client.get(plain.url(path="/here")).text
                assert client.get(plain.url(path="/large")).content == LARGE
                assert "asked for /here" in client.get(secret.url("https", "/here")).text
                parts, size = iter([b"one", b"two"]), {"Content-Length": "6"}
                assert client.post(plain.url(), content=parts, headers=size).content == b"onetwo"
                with client.stream("GET", plain.url(path="/large")) as response:
                    assert next(response.iter_raw())
                with pytest.raises(httpx.ReadError, match="reset the connection"):
                    client.get(plain.url(path="/reset"))
                with pytest.raises(httpx.ConnectError, match="refuses"):
                    client.get(f"http://{network}.1:{unused(f'{network}.1')}/")
        assert secret.names == [NAME]
    assert threading.active_count() <= threads + 2, "the loop of bridge.sync, and its callbacks"


def test_a_context_of_ones_own_is_what_counts() -> None:
    async def scenario(there: Bench) -> None:
        old = believing()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with web_server(there.host, context=encrypted()) as server:
            async with httpx.AsyncClient(transport=BoardTransport(there.board, verify=old), timeout=30) as client:
                response = await client.get(server.url("https"))
                stream = response.extensions["network_stream"]
                assert stream.get_extra_info("ssl_object").version() == "TLSv1.2"

    run(scenario)
