from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from bridge.doctor.board import look_at_board
from bridge.doctor.finding import Finding
from bridge.ports.open import run_for
from tests.ports.test_serial import Master


def look(url: str) -> dict[str, Finding]:
    async def found() -> list[Finding]:
        return [finding async for finding in look_at_board(url, baud=115_200)]

    return {finding.check: finding for finding in run_for(url, found())}


def statuses(url: str) -> dict[str, str]:
    return {check: finding.status for check, finding in look(url).items()}


def test_a_board_as_it_should_be() -> None:
    found = look("virtual:?clock=virtual")
    assert [*found] == ["open", "board", "firmware", "heap", "wifi", "agent", "prompt"]
    assert {finding.status for finding in found.values()} == {"ok"}
    assert "NodeMCU 3.0.0 with Lua 5.1" in found["board"].what and " ms" in found["agent"].what


@pytest.mark.parametrize(
    ("options", "check", "status", "words"),
    [
        ("modules=node,ow,tmr,uart", "firmware", "fail", "The firmware lacks net. Build it"),
        ("modules=net,node,tmr,uart,wifi,ow", "firmware", "warn", "without file files cannot be stored"),
        ("modules=net,node,tmr,uart,wifi,file", "firmware", "warn", "without ow frames are checked in Lua"),
        ("firmware=2.2.1", "firmware", "ok", "older than 3.0"),
        ("wifi=down", "wifi", "warn", "wifi.sta.config"),
        ("heap=24000", "heap", "warn", "bytes of heap are free: little"),
    ],
)
def test_what_is_not_well_has_a_remedy(options: str, check: str, status: str, words: str) -> None:
    finding = look(f"virtual:?clock=virtual&{options}")[check]
    assert finding.status == status and words in str(finding)
    assert status == "ok" or finding.remedy


def test_what_lacks_a_module_gets_no_agent() -> None:
    assert "agent" not in statuses("virtual:?clock=virtual&modules=node,ow,tmr,uart")


def test_nobody_answers() -> None:
    async def scenario() -> None:
        port = Master()
        found = [finding async for finding in look_at_board(port.path, baud=115_200)]
        assert [(finding.check, finding.status) for finding in found] == [("open", "ok"), ("board", "fail")]
        assert "Nothing answers" in found[1].what and found[1].remedy
        port.close()

    asyncio.run(scenario())


def test_another_program_has_it() -> None:
    port = Master()
    source = (
        "import sys, fcntl; file = open(sys.argv[1], 'r+b', buffering=0); "
        "fcntl.flock(file, fcntl.LOCK_EX); print(flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", source, port.path], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None and process.stdout.readline()
        [finding] = look(port.path).values()
        assert f"{port.path} is in use by PID {process.pid} (" in finding.what and finding.remedy
        process.kill()
    port.close()
