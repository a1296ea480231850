from __future__ import annotations

import asyncio

import pytest

from bridge.errors import PortError
from bridge.ports.draining import STALLED_SECONDS, drained
from bridge.ports.serial import open_serial
from bridge.virtual import clock
from tests.ports.test_serial import Master


def test_what_leaves_is_waited_for_however_slowly() -> None:
    async def main() -> None:
        left = [4]

        async def wait() -> None:
            await asyncio.sleep(STALLED_SECONDS - 1)
            left[0] -= 1

        await drained("COM5", lambda: left[0], wait)
        assert left == [0]

    clock.run(main())


def test_what_does_not_leave_is_an_error() -> None:
    async def main() -> None:
        began = asyncio.get_running_loop().time()
        with pytest.raises(PortError, match="COM5 takes no bytes") as caught:
            await drained("COM5", lambda: 1, asyncio.Event().wait)
        assert caught.value.remedy and asyncio.get_running_loop().time() - began <= 2 * STALLED_SECONDS

    clock.run(main())


def test_a_port_whose_other_end_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.ports.draining.STALLED_SECONDS", 0.05)
    monkeypatch.setattr("bridge.ports.serial.CLOSE_TIMEOUT", 0.05)

    async def main() -> None:
        master = Master()
        port = await open_serial(master.path, baud=115200)
        port.write(bytes(100_000))
        with pytest.raises(PortError, match="takes no bytes"):
            await port.set_baud(921_600)
        assert port.baud == 115_200
        await port.close()
        master.close()

    asyncio.run(main())
