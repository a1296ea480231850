"""One connection of esptool for several steps: `python -m bridge.ports.esptool_session PORT BAUD BEFORE ATTEMPTS`.

Always a process of its own, as in `esptool_handler`. It connects, starts the flasher stub, and then does what each line
of its standard input says: a JSON object with `do`, see `_STEPS`; `end` is the last. What esptool prints goes to
standard output as it is; each result is a line that begins with `MARK`, followed by JSON. A step that fails ends it
with esptool's words and exit code.

The command line of esptool does one thing per connection: to compare first and write after would take two processes
and two connections, more time than plain esptool takes for the writing alone.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any

import serial

from bridge.ports.esptool_handler import register

#: Begins a line with a result; no text of esptool's has it.
MARK = "\x02"
#: What `write` is told of the header: nothing, because it is right already.
_KEEP = {"flash_freq": "keep", "flash_mode": "keep", "flash_size": "keep"}


def main(arguments: list[str]) -> int:
    """Run a session; returns esptool's exit code."""
    register()
    import esptool

    port, baud, before, attempts = arguments
    steps = _Steps()
    try:
        esp = _connect(port, int(baud), before, int(attempts))
        try:
            while (step := steps.next()) is not None:
                _say(_STEPS[step.pop("do")](esp, **step))
        finally:
            esp._port.close()
    except esptool.FatalError as error:
        print(f"\nA fatal error occurred: {error}", flush=True)  # noqa: T201  as esptool's own main does
        return 2
    except (serial.SerialException, OSError) as error:
        print(f"\nA fatal error occurred: the port was lost: {error}", flush=True)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


class _Steps:
    """The lines of standard input. When it ends before `end` was said, this process ends at once, whatever it is at.

    It ends so when the process that began this one was killed: nobody else would let go of the port.
    """

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> dict[str, Any] | None:
        """Wait for the next step; None at the end."""
        step = json.loads(self._lines.get())
        assert isinstance(step, dict)
        return None if step["do"] == "end" else step

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
            if '"end"' in line:
                return
        os._exit(1)


def _say(result: dict[str, Any]) -> None:
    print(f"\n{MARK}{json.dumps(result)}", flush=True)  # noqa: T201  the protocol of this process


def _connect(port: str, baud: int, before: str, attempts: int) -> Any:
    import esptool
    from esptool import cmds
    from esptool.loader import StubFlasher

    # Of the two flashers that esptool has the older one is smaller: 9 KB of the slow line instead of 12 KB, a third of a
    # second, and it can do all that is asked of it here.
    if named := os.environ.get("ESPTOOL_STUB_VERSION"):
        StubFlasher.set_stub_subdir(named)
    else:
        StubFlasher.STUB_SUBDIRS = sorted(StubFlasher.STUB_SUBDIRS)
    # Its name up to esptool 5.5.
    connect = getattr(cmds, "connect_first_available", None) or esptool.get_default_connected_device
    esp = connect(
        [port], port=port, connect_attempts=attempts, initial_baud=min(baud, 115_200), chip="esp8266", trace=False,
        before=before,
    )  # fmt: skip
    if esp is None:
        raise esptool.FatalError(f"Failed to connect to an ESP8266 on {port}")
    chip, mac = esp.get_chip_description(), ":".join(f"{byte:02x}" for byte in esp.read_mac())
    esp = cmds.run_stub(esp)
    if baud > 115_200:
        esp.change_baud(baud)
    cmds.attach_flash(esp)
    # What fails is tried again by who runs this, at a lower speed.
    esp.WRITE_FLASH_ATTEMPTS = 1
    size = cmds.detect_flash_size(esp)
    _say({"chip": chip, "mac": mac, "flash": _bytes(size)})
    return esp


def _bytes(size: str | None) -> int:
    """Bytes of "512KB" or "4MB"; 0 if esptool does not know the chip."""
    if size is None:
        return 0
    return int(size[:-2]) << (20 if size.endswith("MB") else 10)


def _md5(esp: Any, at: int, size: int) -> dict[str, Any]:
    return {"md5": esp.flash_md5sum(at, size)}


def _peek(esp: Any, at: int, size: int) -> dict[str, Any]:
    return {"hex": esp.read_flash(at, size, None).hex()}


def _read(esp: Any, at: int, size: int, file: str) -> dict[str, Any]:
    from esptool import cmds

    cmds.read_flash(esp, at, size, file, flash_size="keep")
    return {"read": size}


def _write(esp: Any, parts: list[tuple[int, str]], erase: bool) -> dict[str, Any]:
    from esptool import cmds

    cmds.write_flash(esp, [(at, file) for at, file in parts], erase_all=erase, **_KEEP)
    return {"written": True}


def _reset(esp: Any, how: str) -> dict[str, Any]:
    from esptool import cmds

    print("Resetting the board...", flush=True)  # noqa: T201
    cmds.reset_chip(esp, how)
    return {"reset": how}


_STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "md5": _md5,
    "peek": _peek,
    "read": _read,
    "write": _write,
    "reset": _reset,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
