from __future__ import annotations

import ast
import asyncio
import subprocess
import sys

import click
import pytest

from bridge.cli import COMMANDS, group
from tests.cli.invoke import invoke
from tests.cli.peers import command, peer


def test_help_lists_every_command_and_imports_none() -> None:
    program = "import sys, bridge.cli; bridge.cli.main(['--help']); print([m for m in sys.modules if 'bridge' in m])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    *help_lines, modules = done.stdout.splitlines()
    for name in COMMANDS:
        assert any(line.strip().startswith(name) for line in help_lines)
    assert sorted(ast.literal_eval(modules)) == ["bridge", "bridge.cli", "bridge.ending", "bridge.errors"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_in_the_table_is_there_and_has_help(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    found = group.get_command(click.Context(group), name)  # type: ignore[attr-defined]
    assert found is not None and found.name == name
    code, out, err = invoke(capfd, name, "--help")
    assert (code, err) == (0, "") and "Usage:" in out


def test_the_module_runs_and_says_its_version() -> None:
    code, out, err = asyncio.run(command("--version"))
    assert (code, err) == (0, "") and out.startswith("nodemcu-bridge, version")


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(2, 130, b"interrupted"), (15, 143, b"ended by SIGTERM"), (1, 129, b"ended by SIGHUP")],
)
def test_a_signal_ends_it_cleanly(number: int, code: int, said: bytes) -> None:
    async def scenario() -> None:
        typed = asyncio.Event()

        def listen(data: bytes) -> bytes:
            typed.set()
            return b""

        async with peer(listen) as master:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bridge.cli", "info", "--port", master.path,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            await typed.wait()
            process.send_signal(number)
            out, err = await asyncio.wait_for(process.communicate(), 30)
            assert (process.returncode, out, err.strip()) == (code, b"", b"nodemcu-bridge: " + said)

    asyncio.run(scenario())


@pytest.mark.parametrize("arguments", [("info", "--port", "a\0b"), ("flash", "a\0b"), ("provision", "a\0b")])
def test_a_nul_in_an_argument_is_one_sentence(capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert invoke(capfd, *arguments) == (2, "", "nodemcu-bridge: There is a NUL in an argument. Leave it out.\n")
