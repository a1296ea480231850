"""Who has a device open."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bridge.virtual.openers import Openers

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@linux
def test_programs_are_counted_as_they_come_and_go() -> None:
    async def main() -> None:
        master, slave = os.openpty()
        path = os.ttyname(slave)
        news: asyncio.Queue[int] = asyncio.Queue()
        openers = Openers(path, lambda: news.put_nowait(openers.count))
        assert openers.known and openers.count == 0, "who had it open before does not count"
        async with asyncio.timeout(10):
            one = os.open(path, os.O_RDWR | os.O_NOCTTY)
            assert await news.get() == 1
            two = os.open(path, os.O_RDONLY | os.O_NOCTTY)
            assert await news.get() == 2
            os.close(one)
            assert await news.get() == 1
            os.close(two)
            assert await news.get() == 0
        openers.close()
        openers.close()
        os.close(os.open(path, os.O_RDWR | os.O_NOCTTY))
        await asyncio.sleep(0)
        assert openers.count == 0
        os.close(master)
        os.close(slave)

    asyncio.run(main())


def test_a_file_that_is_not_there_is_known_by_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        openers = Openers(str(tmp_path / "nothing"), lambda: None)
        assert not openers.known and openers.count == 0
        openers.close()

    asyncio.run(main())
