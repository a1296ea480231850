"""A laboratory of labgrid on the loopback: a coordinator, two exporters, and a place with a virtual board at each.

`desk` is a board on a pseudo-terminal, which its exporter serves by ser2net, as it does with boards on USB: it does so
while the place is taken. `shelf` is a board that an RFC 2217 server serves all the time, which its exporter names.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.labgrid_place.environment import labgrid_python
from tests.board_process import announced, board_process
from tests.programs import require

#: Modules of the virtual boards, of which their places promise some.
MODULES = "net, tls, tmr, file"
#: Seconds for a program of labgrid to say that it is there.
_START_S = 30.0

# ser2net listens on all interfaces unless it is told an address, and labgrid tells it none.
_SER2NET = """#!/bin/sh
for argument in "$@"; do
    case $argument in
        *,tcp,*) argument=$(printf %s "$argument" | sed 's/,tcp,/,tcp,127.0.0.1,/') ;;
    esac
    set -- "$@" "$argument"
    shift
done
exec {ser2net} "$@"
"""


@dataclass(frozen=True)
class Laboratory:
    """What is running.

    Attributes:
        coordinator: host:port.
        folder: for files of the laboratory.
        environment: in which its programs run.
        coordinator_process, exporters: the processes; the latter by place.
    """

    coordinator: str
    folder: Path
    coordinator_process: subprocess.Popen[bytes]
    exporters: dict[str, subprocess.Popen[bytes]]
    environment: dict[str, str]

    def client(self, *arguments: str, check: bool = True) -> str:
        """Run labgrid-client; gives what it says."""
        done = subprocess.run(
            [program("labgrid-client"), "-x", self.coordinator, *arguments],
            capture_output=True, text=True, timeout=60, env=self.environment,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def env_file(self, name: str, *, drivers: str = "", **targets: str) -> Path:
        """An environment file with targets, each at a place."""
        blocks = "".join(
            f"  {target}:\n    resources:\n      RemotePlace: {{name: {place}}}\n{drivers}"
            for target, place in targets.items()
        )
        path = self.folder / name
        path.write_text(
            f"targets:\n{blocks}options: {{coordinator_address: '{self.coordinator}'}}\n"
            "imports: [bridge.labgrid_place.strategy]\n"
        )
        return path


def program(name: str) -> str:
    """The path of a program of labgrid."""
    return str(Path(labgrid_python()).parent / name)


def listeners(pid: int) -> set[str]:
    """Addresses on which a process and its children listen, as /proc has them."""
    inodes = set()
    for process in {pid, *_children(pid)}:
        for link in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(OSError):
                inodes.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            cells = line.split()
            if cells[3] == "0A" and cells[9] in inodes:
                found.add(_address(cells[1].partition(":")[0]))
    return found


def _address(written: str) -> str:
    packed = b"".join(bytes.fromhex(written[at : at + 8])[::-1] for at in range(0, len(written), 8))
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _children(pid: int) -> list[int]:
    own = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*own, *(one for child in own for one in _children(child))]


@contextlib.contextmanager
def laboratory(folder: Path) -> Iterator[Laboratory]:
    """Run it."""
    ser2net = folder / "bin" / "ser2net"
    ser2net.parent.mkdir()
    ser2net.write_text(_SER2NET.replace("{ser2net}", require("ser2net")))
    ser2net.chmod(0o755)
    environment = {**os.environ, "PATH": f"{ser2net.parent}:{os.environ['PATH']}"}
    # Nothing of the run around this one is for labgrid.
    environment = {name: value for name, value in environment.items() if not name.startswith(("LG_", "PYTEST_"))}
    with contextlib.ExitStack() as stack:
        on_tty = stack.enter_context(board_process("--pty", "auto", "--mac", "5c:cf:7f:00:01:01"))
        on_tcp = stack.enter_context(board_process("--rfc2217", "127.0.0.1:0", "--mac", "5c:cf:7f:00:01:02"))
        _, tty = announced(on_tty)
        _, url = announced(on_tcp)
        coordinator, line = _start(
            stack, folder, environment, "labgrid-coordinator", "-l", "127.0.0.1:0", until="listening on "
        )
        address = line.rpartition(" ")[2]
        facts = f"  NodeMCU: {{profile: nodemcu-v2, modules: '{MODULES}', flash: 4194304, lua: '5.1', "
        exported = {
            "desk": f"desk:\n  RawSerialPort: {{port: {tty}, speed: 115200}}\n{facts}"
            "mac: '5c:cf:7f:00:01:01', tags: 'quick, on-tty', reset: none}\n",
            "shelf": "shelf:\n  NetworkSerialPort: {host: 127.0.0.1, port: " + url.rpartition(":")[2] + "}\n"
            f"{facts}mac: '5c:cf:7f:00:01:02', tags: 'quick'}}\n",
        }
        exporters = {}
        for place, resources in exported.items():
            file = folder / f"{place}.yaml"
            file.write_text(resources)
            exporters[place], _ = _start(
                stack, folder, environment, "labgrid-exporter", "-c", address, "-n", f"{place}-machine",
                "--hostname", "127.0.0.1", str(file), until="Exporter ready",
            )  # fmt: skip
        here = Laboratory(address, folder, coordinator, exporters, environment)
        for place in exported:
            here.client("-p", place, "create")
            here.client("-p", place, "add-match", f"{place}-machine/{place}/*")
        yield here


def _start(
    stack: contextlib.ExitStack, folder: Path, environment: dict[str, str], name: str, *arguments: str, until: str
) -> tuple[subprocess.Popen[bytes], str]:
    """Start a program of labgrid in a folder of its own, and wait for a line; gives the line, too."""
    workplace = folder / f"{name}-{len(list(folder.iterdir()))}"
    workplace.mkdir()
    log = workplace / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program(name), *arguments], cwd=workplace, env=environment,
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    stack.callback(_stop, process)
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith(until):
                return process, line
        assert process.poll() is None, log.read_text(errors="replace")
        time.sleep(0.05)
    raise AssertionError(f"{name} does not start:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
