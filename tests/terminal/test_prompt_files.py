from __future__ import annotations

import pytest

from bridge.errors import UsageError
from bridge.ports.open import open_port
from bridge.terminal.prompt_files import PromptFiles
from bridge.virtual import clock


async def no_reset() -> None: ...


@pytest.mark.parametrize("options", ["", "&lua=5.3", "&firmware=2.2.1", "&flip=0.002&seed=3"])
def test_any_bytes_go_both_ways(options: str) -> None:
    async def scenario() -> None:
        port = await open_port(f"virtual:?clock=virtual{options}")
        files = PromptFiles(port, no_reset)
        content = bytes(range(256)) + b"\r\n\0'\"" * 60
        await files.put("a b", content)
        assert await files.get("a b") == content
        await files.put("empty", b"")
        assert await files.get("empty") == b""
        with pytest.raises(UsageError, match="has no file nothing"):
            await files.get("nothing")
        with pytest.raises(UsageError, match="needs the agent"):
            await files.run_file("x", b"")
        await port.close()

    clock.run(scenario())


def test_a_firmware_without_files() -> None:
    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual&modules=node,tmr,uart")
        with pytest.raises(UsageError, match="may lack file"):
            await PromptFiles(port, no_reset).put("x", b"1")
        await port.close()

    clock.run(scenario())


def test_a_reset_is_that_of_the_port() -> None:
    pressed: list[str] = []

    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual")

        async def press() -> None:
            pressed.append("pressed")

        await PromptFiles(port, press).reset()
        await port.close()

    clock.run(scenario())
    assert pressed == ["pressed"]
