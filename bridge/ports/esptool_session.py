"""One connection of esptool for several steps: `python -m bridge.ports.esptool_session PORT BAUD BEFORE ATTEMPTS`.

Always a process of its own, as in `esptool_handler`. It connects, starts the flasher stub, and then does what each line
of its standard input says: a JSON object with `do`, see `_STEPS`; `end` is the last. What esptool prints goes to
standard output as it is; each result is a line that begins with `MARK`, followed by JSON. Connecting has two results:
what the chip is, at the speed it was found at, and the size of its flash, at the speed that was asked for. A step that
fails ends it with esptool's words and exit code; one that cannot use a file says so in a result first.

However it ends, the board is started again, unless a writing was begun and not ended: then it stays in the flasher.

The command line of esptool does one thing per connection: to compare first and write after would take two processes
and two connections, more time than plain esptool takes for the writing alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import serial

from bridge.ports.esptool_handler import register

#: Begins a line with a result; no text of esptool's has it.
MARK = "\x02"
#: Seconds that this process has to start the board again when nobody waits for it any more.
LEAVE = 2.0
#: Seconds that EN is held low.
_HOLD = 0.1
#: Seconds for the ROM's answer to "run what I have loaded". esptool gives it 0.2 s, and takes no word after that: too
#: little for a network, and for a computer that is busy with a shelf of boards. The chip itself needs a millisecond.
_LET_GO = 3.0
#: What `write` is told of the header: nothing, because it is right already.
_KEEP = {"flash_freq": "keep", "flash_mode": "keep", "flash_size": "keep"}


class _Abandoned(BaseException):
    """Nobody waits for this process any more; raised in the main thread wherever it is."""


class _FileTrouble(Exception):
    """A file of this computer cannot be read or written."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(f"{path}: {error.strerror or error}")
        self.result = {"file": path, "errno": error.errno, "why": error.strerror or str(error)}


def main(arguments: list[str]) -> int:
    """Run a session; returns esptool's exit code."""
    register()
    import esptool

    port, baud, before, attempts = arguments
    board = _Board(before)
    steps = _Steps()
    try:
        try:
            board.connect(port, int(baud), int(attempts))
            while (step := steps.next()) is not None:
                _say(_STEPS[step.pop("do")](board, **step))
        except _FileTrouble as error:
            board.leave()
            _say(error.result)
            return 1
        except esptool.FatalError as error:
            board.leave()
            print(f"\nA fatal error occurred: {error}", flush=True)  # noqa: T201  as esptool's own main does
            return 2
    except (_Abandoned, BrokenPipeError, SystemExit):
        # Of the standard output, when that is seen first; rich makes a SystemExit of it.
        board.leave()
        os._exit(1)
    except (serial.SerialException, OSError) as error:
        print(f"\nA fatal error occurred: the port was lost: {error}", flush=True)  # noqa: T201
        return 1
    except Exception:  # esptool's own mistakes: what it says last tells which
        board.leave()
        raise
    finally:
        board.close()
    return 0


class _Steps:
    """The lines of standard input. When it ends before `end` was said, the main thread is broken off whatever it is at.

    It ends so when the process that began this one was killed: nobody else would let go of the port. Ctrl-C, the end of
    a terminal and `timeout` reach this process too, and are left to the other one.
    """

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._abandoned = False
        signal.signal(signal.SIGINT, self._interrupted)
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> dict[str, Any] | None:
        """Wait for the next step; None at the end."""
        step = json.loads(self._lines.get())
        assert isinstance(step, dict)
        return None if step["do"] == "end" else step

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
            if line.startswith('{"do": "end"'):  # not anywhere in it: a file may be called so
                return
        self._abandoned = True
        if sys.platform == "win32":
            signal.raise_signal(signal.SIGINT)
        else:
            # To this thread by name: it is broken off also where it waits for the system.
            main_thread = threading.main_thread().ident
            assert main_thread is not None
            signal.pthread_kill(main_thread, signal.SIGINT)
        time.sleep(LEAVE)
        os._exit(1)

    def _interrupted(self, *_: object) -> None:
        if self._abandoned:
            self._abandoned = False
            raise _Abandoned


class _Board:
    """The board at the other end, from the moment its port is open.

    Args:
        before: how esptool brings it into its loader: "default-reset", or "no-reset" where no lines are wired.
    """

    def __init__(self, before: str) -> None:
        self.esp: Any = None
        self.half_written = False
        self._before = before
        self._lines = before != "no-reset"
        self._answered, self._started = False, False

    def connect(self, port: str, baud: int, attempts: int) -> None:
        """Connect, start the flasher and go to the speed; says both results."""
        import esptool
        from esptool import cmds, loader
        from esptool.loader import StubFlasher

        # Of the two flashers that esptool has the older one is smaller: 9 KB of the slow line instead of 12 KB, a third
        # of a second, and it can do all that is asked of it here.
        if named := os.environ.get("ESPTOOL_STUB_VERSION"):
            StubFlasher.set_stub_subdir(named)
        else:
            StubFlasher.STUB_SUBDIRS = sorted(StubFlasher.STUB_SUBDIRS)
        loader.MEM_END_ROM_TIMEOUT = _LET_GO
        print(f"Serial port {port}:", flush=True)  # noqa: T201
        try:
            found = self._start_flasher(port, baud, attempts)
        except esptool.FatalError:
            if not (self._lines and self._answered):
                raise
            # A byte was lost on the line: once more from the reset on, as nothing is known of what runs there.
            self.close()
            found = self._start_flasher(port, baud, attempts)
        esp = self.esp
        _say(found)
        if baud > 115_200:
            try:
                esp.change_baud(baud)
            except (ValueError, OverflowError) as error:  # pyserial's, for a speed that the system does not know
                raise esptool.FatalError(f"The port does not take {baud} baud ({error})") from error
        cmds.attach_flash(esp)
        # What fails is tried again by who runs this, at a lower speed.
        esp.WRITE_FLASH_ATTEMPTS = 1
        _say({"flash": _bytes(cmds.detect_flash_size(esp))})

    def _start_flasher(self, port: str, baud: int, attempts: int) -> dict[str, str]:
        """Connect and start the flasher; returns what the chip is."""
        from esptool import cmds
        from esptool.targets import ESP8266ROM

        self.esp = ESP8266ROM(port, min(baud, 115_200))
        self.esp.connect(self._before, attempts)
        self._answered = True
        chip, mac = self.esp.get_chip_description(), ":".join(f"{byte:02x}" for byte in self.esp.read_mac())
        self.esp = cmds.run_stub(self.esp)
        return {"chip": chip, "mac": mac}

    def reset(self) -> None:
        """Start what is flashed: by the reset line, or by a jump where none is wired."""
        from esptool import cmds

        print("Resetting the board...", flush=True)  # noqa: T201
        cmds.reset_chip(self.esp, "hard-reset" if self._lines else "soft-reset")
        self._started = True

    def leave(self) -> None:
        """Start what is flashed, without a word, unless it is half of something or was started."""
        if self.esp is None or self.half_written or self._started:
            return
        # Whatever this fails by, another error is on its way already.
        with contextlib.suppress(Exception):
            if self._lines:
                port = self.esp._port
                for reset in (False, True, False):
                    # DTR after each RTS: a Windows driver sends RTS only with it.
                    port.rts, port.dtr = reset, False
                    time.sleep(_HOLD if reset else 0)
            elif self.esp.IS_STUB:
                self.esp.command(self.esp.ESP_CMDS["RUN_USER_CODE"], wait_response=False)

    def close(self) -> None:
        """Let go of the port."""
        if self.esp is not None:
            self.esp._port.close()


def _say(result: dict[str, Any]) -> None:
    print(f"\n{MARK}{json.dumps(result)}", flush=True)  # noqa: T201  the protocol of this process


def _bytes(size: str | None) -> int:
    """Bytes of "512KB" or "4MB"; 0 if esptool does not know the chip."""
    if size is None:
        return 0
    return int(size[:-2]) << (20 if size.endswith("MB") else 10)


@contextlib.contextmanager
def _file(path: str) -> Iterator[None]:
    """Tell trouble with a file from trouble with the port."""
    try:
        yield
    except OSError as error:
        raise _FileTrouble(path, error) from error


def _md5(board: _Board, at: int, size: int) -> dict[str, Any]:
    return {"md5": board.esp.flash_md5sum(at, size)}


def _peek(board: _Board, at: int, size: int) -> dict[str, Any]:
    return {"hex": board.esp.read_flash(at, size, None).hex()}


def _read(board: _Board, at: int, size: int, file: str) -> dict[str, Any]:
    from esptool import cmds

    data = cmds.read_flash(board.esp, at, size, None, flash_size="keep")
    with _file(file), open(file, "wb") as output:
        output.write(data)
        output.flush()
        os.fsync(output.fileno())
    return {"read": size}


def _write(board: _Board, parts: list[tuple[int, str]], erase: bool) -> dict[str, Any]:
    from esptool import cmds

    pieces = []
    for at, file in parts:
        with _file(file), open(file, "rb") as content:
            pieces.append((at, content.read()))
    board.half_written = True
    cmds.write_flash(board.esp, pieces, erase_all=erase, **_KEEP)
    board.half_written = False
    return {"written": True}


def _reset(board: _Board) -> dict[str, Any]:
    board.reset()
    return {"reset": True}


_STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "md5": _md5,
    "peek": _peek,
    "read": _read,
    "write": _write,
    "reset": _reset,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
