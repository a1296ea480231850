"""No secret in anything that a run produces: output, logs, traces, reports, records, command lines, errors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.provision.rig import PASSWORD, QUICK, Shelf, shelf

SECRET = PASSWORD.encode()


def command_lines() -> Iterator[bytes]:
    """What every user of this machine can read of all processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            continue


async def watch(boards: Shelf, *arguments: str) -> bytes:
    """Run the command and look at all command lines meanwhile; its output."""
    process = await boards.start(*arguments)
    seen = 0
    while process.returncode is None:
        for line in command_lines():
            seen += b"provision" in line
            assert SECRET not in line
        try:
            async with asyncio.timeout(0.1):
                await process.wait()
        except TimeoutError:
            continue
    assert seen
    assert process.stdout is not None and process.stderr is not None
    return await process.stdout.read() + await process.stderr.read()


@pytest.mark.parametrize(
    "air",
    [
        pytest.param("workshop:" + PASSWORD, marks=pytest.mark.nightly),
        "workshop:another-password",
        pytest.param("elsewhere:x", marks=pytest.mark.nightly),
    ],
)
def test_a_run_and_all_that_it_writes(tmp_path: Path, air: str) -> None:
    made = tmp_path / "made"
    made.mkdir()

    async def scenario() -> None:
        async with shelf(tmp_path, 1, replace(QUICK, wifi=air)) as boards:
            for extra in ([], ["--verify"]):
                output = await watch(
                    boards, "--json", "--report", str(made / "report.json"), "--logs", str(made / "logs"), *extra
                )
                assert b"workshop" in output or extra
                assert SECRET not in output

    asyncio.run(scenario())
    written = [path for folder in (made, tmp_path / "state") for path in folder.rglob("*") if path.is_file()]
    names = {path.name for path in written}
    assert {"report.json", "b1.trace", "b1.esptool.log", "key", "5c7f000001.json"} - names <= {"5c7f000001.json"}
    for path in written:
        data = path.read_bytes()
        for form in (SECRET, SECRET.hex().encode(), SECRET[::-1], SECRET[:12]):
            assert form not in data, path
        assert path.stat().st_mode & 0o077 == 0 or path.name.endswith(".log"), path


def test_mistakes_do_not_show_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with shelf(tmp_path, 1) as boards:
            boards.write(password=PASSWORD)
            code, out, err = await boards.run()
            assert code == 2 and "must not be it" in err and PASSWORD not in out + err
            boards.write(password=f"{{env: NO_SUCH_VARIABLE, secret: {PASSWORD}}}")
            code, out, err = await boards.run()
            assert (
                code == 2
                and "a key below wifi.password is not one of a provisioning file" in err
                and PASSWORD not in out + err
            )
            boards.write(password="{env: NO_SUCH_VARIABLE}")
            code, out, err = await boards.run()
            assert code == 2 and "is not in the environment variable NO_SUCH_VARIABLE" in err

    asyncio.run(scenario())
