from __future__ import annotations

import ast
import asyncio
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bridge.cli import COMMANDS, group
from tests.cli.invoke import BOARD, invoke
from tests.cli.peers import command, peer

if sys.platform != "win32":
    import resource


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


def ended(
    arguments: list[str], stdout: int, *, full: bool = False, env: dict[str, str] | None = None
) -> tuple[int, str]:
    """Exit code and standard error of the command with this standard output."""

    def limit() -> None:
        if full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli", *arguments], stdout=stdout, stderr=subprocess.PIPE, timeout=60,
        preexec_fn=limit, env={**os.environ, **(env or {})},
    )  # fmt: skip
    return done.returncode, done.stderr.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="has no limits")
@pytest.mark.parametrize(
    "arguments",
    [["boards", "--help"], ["exec", "return 1", "--port", BOARD], ["exec", "print(1)", "--port", BOARD]],
    ids=["help", "a result", "a print"],
)
def test_output_that_cannot_be_written_is_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    with open(tmp_path / "out", "wb") as out:
        code, err = ended(arguments, out.fileno(), full=True)
    assert code == 2 and err.startswith("nodemcu-bridge: The output cannot be written (") and err.count("\n") == 1, err


def test_what_a_chunk_prints_to_nobody_ends_it_without_a_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        endless = "local t=tmr.create() t:alarm(50,1,function()print(1)end)"
        assert ended(["exec", endless, "--wait", "100", "--port", BOARD], write) == (1, "")
    finally:
        os.close(write)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such names")
def test_names_that_are_no_text_are_written_out_where_the_output_takes_no_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.bin")
    with open(tmp_path / "out", "wb") as out:
        code, err = ended(["virtual-image", name], out.fileno(), env={"PYTHONIOENCODING": "utf-8:strict"})
    assert (code, err) == (0, "") and b"/caf\\udce9.bin: " in (tmp_path / "out").read_bytes()
