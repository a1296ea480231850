"""Every command on every kind of wrong port: one sentence that names the port and the remedy, and exit code 1 or 2."""

from __future__ import annotations

import asyncio
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.ports.open import open_port
from tests.cli.peers import AtFirmware, Garbage, MicroPython, Talker, command, loopback, peer, silence
from tests.images import image
from tests.ports.test_serial import Master

#: Commands that talk to the prompt.
TALKING = (["info"], ["exec", "print(1)"], ["run", "FILE"])
#: At most so many processes at once.
AT_ONCE = 4


def one_sentence(result: tuple[int, str, str], url: str, *words: str) -> None:
    code, out, err = result
    assert code in (1, 2), result
    assert "Traceback" not in out + err
    (line,) = err.strip().splitlines()
    assert url in line, line
    for word in words:
        assert word in line, line
    assert line.count(". ") >= 1, f"no remedy: {line}"


def filled(arguments: list[str], folder: Path) -> list[str]:
    (folder / "program.lua").write_text("print(1)\n")
    (folder / "firmware.bin").write_bytes(image())
    return [
        {"FILE": str(folder / "program.lua"), "IMAGE": str(folder / "firmware.bin")}.get(each, each)
        for each in arguments
    ]


#: Who answers instead, and what the sentence says of it.
OTHERS: dict[str, tuple[Callable[[], Callable[[bytes], bytes]], tuple[str, ...]]] = {
    "silence": (lambda: silence, ("Nothing answers",)),
    "loopback": (lambda: loopback, ("comes back", "RX and TX")),
    "garbage": (Garbage, ("no text", "speed")),
    "micropython": (MicroPython, ("MicroPython", "nodemcu-bridge flash")),
    "at": (AtFirmware, ("AT command firmware", "nodemcu-bridge flash")),
    "talker": (Talker, ("temperature",)),
}


def test_no_nodemcu_on_it(tmp_path: Path) -> None:
    async def one(name: str, arguments: list[str]) -> None:
        make, words = OTHERS[name]
        async with limit, peer(make()) as master:
            before = termios.tcgetattr(master._slave)
            result = await command(*filled(arguments, tmp_path), "--port", master.path)
            one_sentence(result, master.path, *words)
            assert termios.tcgetattr(master._slave) == before, f"{name}: the port is left as it was"

    limit = asyncio.Semaphore(18)

    async def scenario() -> None:
        # All at once: most of the time is spent listening to what says nothing.
        await asyncio.gather(*(one(name, arguments) for name in OTHERS for arguments in TALKING))

    asyncio.run(scenario())


def test_no_port_busy_port_and_no_permission_to_be_one(tmp_path: Path) -> None:
    limit = asyncio.Semaphore(AT_ONCE)
    (tmp_path / "plain").write_bytes(b"")

    async def one(arguments: list[str], url: str, *words: str) -> None:
        async with limit:
            one_sentence(await command(*filled(arguments, tmp_path), "--port", url), url, *words)

    async def scenario() -> None:
        master = Master()
        port = await open_port(master.path)
        cases = (
            ("/dev/nosuchport", "There is no port", "nodemcu-bridge boards"),
            (master.path, "is in use by PID", "stop it"),
            ("rfc2217://127.0.0.1:9", "Nobody listens", "server"),
        )
        work = [one(arguments, *case) for arguments in TALKING for case in cases]
        # esptool opens the port itself, and says why it cannot in fewer words.
        work += [one(["flash", "IMAGE"], url, words) for url, words, _ in cases[:2]]
        work += [one(["info"], str(tmp_path / "plain"), "is not a serial port")]
        work += [one(["info"], "http://127.0.0.1/", "not a kind of port")]
        work += [one(["info"], "rfc2217://nowhere", "host and a TCP port")]
        work += [one(["info"], "virtual:?colour=red", "colour is not an option")]
        work += [one(["info"], "socket://", "Write socket://host:port"), one(["info"], "virtual", "with a colon")]
        work += [one(["info"], "", "'' is no name of a port")]
        await asyncio.gather(*work)
        await port.close()
        master.close()

    asyncio.run(scenario())


def test_unplugged_in_the_middle(tmp_path: Path) -> None:
    async def one(arguments: list[str], after: int) -> None:
        async with peer(MicroPython(), leave_after=after) as master:
            one_sentence(await command(*filled(arguments, tmp_path), "--port", master.path), master.path, "went away")

    async def scenario() -> None:
        await asyncio.gather(*(one(arguments, 300) for arguments in TALKING), one(["flash", "IMAGE"], 10))

    asyncio.run(scenario())


@pytest.mark.parametrize("fault", ["unplug_after_s=6", "reset_after_s=6", "unplug_after_s=2", "unplug_after_s=0.1"])
def test_a_board_that_goes_away_while_a_program_runs_or_before(fault: str) -> None:
    url = f"virtual:?{fault}&clock=virtual"
    one_sentence(asyncio.run(command("exec", "print(1)", "--wait", "60", "--port", url)), url)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x7fELF" + bytes(100), "ELF"),
        (None, "cannot be read"),
        (b"lacks net", "lacks the module net"),
    ],
    ids=["empty", "elf", "missing", "without net"],
)
def test_wrong_images_never_touch_the_port(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "firmware.bin"
    if content is not None:
        path.write_bytes(image("node,tmr,uart") if content == b"lacks net" else content)
    code, out, err = asyncio.run(command("flash", str(path), "--port", "/dev/nosuchport"))
    assert code == 2 and words in err and "firmware.bin" in err and len(err.strip().splitlines()) == 1
    assert "nosuchport" not in err


def test_silence_in_place_of_a_rom_loader(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with peer(silence) as master:
            result = await command(*filled(["flash", "IMAGE"], tmp_path), "--port", master.path)
            one_sentence(result, master.path, "No ESP8266 answers", "FLASH")

    asyncio.run(scenario())
