"""Runs nodemcu-uploader on a port without modem lines: `python -m bridge.ports.uploader_launcher --port PATH …`.

nodemcu-uploader drives DTR and RTS when it opens a port. A pseudo-terminal has neither, and answers ENOTTY; the tool
ends there though it needs the lines for nothing it does afterwards. Here a line that does not exist stays as it is.

With `--end-with-input` as the first argument it ends when its standard input does, whatever it is at: when the process
that began it was killed, nobody else would let go of the port.
"""

from __future__ import annotations

import errno
import os
import runpy
import sys
import threading
from collections.abc import Callable

import serial

#: First argument: end when standard input ends.
END_WITH_INPUT = "--end-with-input"


def tolerate_missing_lines() -> None:
    """Let pyserial's setting of DTR and RTS do nothing on a port that has no such lines."""
    for name in ("_update_dtr_state", "_update_rts_state"):
        update = getattr(serial.Serial, name, None)  # absent on Windows, where every port has the lines
        if update is not None:
            setattr(serial.Serial, name, _tolerant(update))


def _tolerant(update: Callable[[serial.Serial], None]) -> Callable[[serial.Serial], None]:
    def tolerant(port: serial.Serial) -> None:
        try:
            update(port)
        except OSError as error:
            if error.errno not in (errno.ENOTTY, errno.EINVAL):
                raise

    return tolerant


def end_with_input() -> None:
    """End this process, with exit code 1, when its standard input ends."""

    def wait() -> None:
        # Not by sys.stdin, whose lock this thread would still hold when the process ends by itself.
        while os.read(0, 4096):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Run nodemcu-uploader with this process's arguments; ends the process with the tool's exit code."""
    if sys.argv[1:2] == [END_WITH_INPUT]:
        del sys.argv[1]
        end_with_input()
    tolerate_missing_lines()
    sys.argv[0] = "nodemcu-uploader"
    runpy.run_module("nodemcu_uploader", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
