"""Virtual boards as processes of their own, as a rack has them, and as they can be stopped and reset from outside."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.child_python import module_command, module_environment
from bridge.errors import PortBusy

#: Seconds for a board's process to start and its prompt to answer.
START = 60.0
#: A pause of the line that a wire would make, and a chip's time to compute, are not what this is about.
_QUICK = ("--no-baud-pacing", "--cpu", "0", "--flash", "0")


@dataclass(frozen=True)
class DemoBoard:
    """A virtual board that answers.

    Attributes:
        name: of its place.
        url: of its port.
        mac: of its board.
        pid: of its process. SIGSTOP makes it hang, SIGUSR1 presses its reset button.
    """

    name: str
    url: str
    mac: str
    pid: int


@contextlib.contextmanager
def running_boards(count: int, *, prefix: str = "shelf") -> Iterator[list[DemoBoard]]:
    """As many boards, named prefix-1 and so on; they end with the block, also those that were stopped.

    Raises:
        PortBusy: one did not start; says why.
    """
    processes: list[subprocess.Popen[str]] = []
    boards = []
    try:
        for number in range(1, count + 1):
            mac = f"5c:cf:7f:00:de:{number:02x}"
            command = [*module_command("bridge.cli"), "virtual", "--rfc2217", "127.0.0.1:0", "--mac", mac,
                       "--seed", str(number), *_QUICK]  # fmt: skip
            processes.append(
                # In a session of its own: Ctrl-C is for the one who runs the tests, and this ends the boards.
                subprocess.Popen(
                    command,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    env=module_environment(),
                    start_new_session=True,
                )  # fmt: skip
            )
        for number, process in enumerate(processes, 1):
            boards.append(DemoBoard(f"{prefix}-{number}", _url(process), f"5c:cf:7f:00:de:{number:02x}", process.pid))
        yield boards
    finally:
        for process in processes:
            _end(process)


def _url(process: subprocess.Popen[str]) -> str:
    """What the board says of its port, which it does when it answers."""
    assert process.stdout is not None
    said: list[str] = []
    until = time.monotonic() + START
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, until - time.monotonic())):
            line = process.stdout.readline()
            if line.startswith("RFC2217 "):
                return line.split()[1]
            if not line:
                break
            said.append(line.strip())
    raise PortBusy(f"A virtual board did not start ({' '.join(said) or 'it says nothing'})", remedy="Try it again.")


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        os.kill(process.pid, signal.SIGCONT)  # one that was stopped hears nothing
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
