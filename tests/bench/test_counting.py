from __future__ import annotations

import asyncio

from bridge.bench.counting import CountingPort
from bridge.repl import Repl
from bridge.virtual import clock
from tests.virtual_link import virtual_port


def test_it_counts_every_byte_of_a_typed_line_and_its_answer() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            await port.board.answered()
            port.discard()
            counting = CountingPort(port)
            repl = Repl(counting)
            await repl.sync()
            written, received = counting.written, counting.received
            answer = await repl.line("=6*7")
            assert answer == b"42"
            assert counting.written - written == len("=6*7\n")
            assert counting.received - received == len("=6*7\r\n42\r\n> ")
            assert counting.moved == counting.written + counting.received
            repl.release()
            counted = counting.moved
            port.board.host_write(b"\r\n")
            await asyncio.sleep(1)
            assert counting.moved == counted, "nobody receives, and nothing counts"
            await counting.set_baud(9600)
            assert (counting.baud, counting.url) == (port.baud, port.url) == (9600, "virtual:")

    clock.run(main())
