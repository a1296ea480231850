"""The pipe between the console's input and the Lua prompt (`stdin` in app/lua53/lua.c, app/modules/pipe.c).

Lines wait here, and one is taken per LOW task. The pipe's state decides when a task is posted; when posting fails, the
state says "posted" for ever, and the prompt is dead until a reset, as on the chip.
"""

from __future__ import annotations

from collections.abc import Callable


class StdinPipe:
    """Input lines on their way to the prompt.

    Args:
        post: queue a LOW task; raises TaskQueueFull.
        run_line: run one line, given without its LF.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], run_line: Callable[[bytes], None]) -> None:
        self._post = post
        self._run_line = run_line
        self._data = bytearray()
        self._posted = False

    def write(self, data: bytes) -> None:
        """Append input.

        Raises:
            TaskQueueFull: the task could not be posted; the data stays.
        """
        if not data:
            return
        self._data += data
        if not self._posted:
            self._posted = True
            self._post(self._task)

    def _task(self) -> None:
        # The reader answers nothing after a line: then it is the state at entry that decides about going on. It
        # answers false when there is no whole line, which ends the chain.
        at_entry, self._posted = self._posted, False
        self._posted = self._read_line() and at_entry
        if self._posted:
            self._post(self._task)

    def _read_line(self) -> bool:
        end = self._data.find(b"\n")
        if end < 0:
            return False
        line = bytes(self._data[:end])
        del self._data[: end + 1]
        self._run_line(line)
        return True
