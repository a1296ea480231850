"""Boards and programs for the tests that run other people's tools."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.board_process import announced, board_process
from tests.programs import require

HERE = Path(__file__).parent
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pty(tmp_path: Path) -> Iterator[str]:
    """A virtual board on a pseudo-terminal: the path to open."""
    link = str(tmp_path / "board")
    with board_process("--pty", link) as process:
        assert announced(process) == ["PTY", link]
        yield link


def _headers(node: str) -> dict[str, str]:
    """Where Node's own headers are, if they stand beside it; else node-gyp fetches them."""
    root = Path(node).resolve().parents[1]
    return {"npm_config_nodedir": str(root)} if (root / "include" / "node" / "node.h").exists() else {}


def _install() -> Path:
    """NodeMCU-Tool as package-lock.json pins it; the first of several test processes installs it."""
    npm = require("npm")
    program = HERE / "node_modules" / "nodemcu-tool" / "bin" / "nodemcu-tool.js"
    with (HERE / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists() or not list(HERE.glob("node_modules/@serialport/bindings/build/Release/*.node")):
            done = subprocess.run(
                [npm, "ci", "--no-audit", "--no-fund"],
                cwd=HERE,
                env={**_headers(require("node")), **os.environ},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            if done.returncode:
                message = f"npm could not install NodeMCU-Tool: {done.stderr.strip()[-500:]}"
                if os.environ.get("CI") == "true":
                    pytest.fail(message)
                pytest.skip(message)
    return program


@pytest.fixture(scope="session")
def nodemcu_tool() -> Run:
    """Runs NodeMCU-Tool: `nodemcu_tool(path, "fsinfo")`."""
    node = require("node")
    program = _install()

    def run(path: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [node, str(program), "--port", path, *arguments],
            capture_output=True,
            text=True,
            timeout=100,
            cwd=cwd,
            check=False,
        )

    return run
