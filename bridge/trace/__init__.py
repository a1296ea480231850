"""Traces: what went over the line, in a file, without secrets; shown to people, and played again as tests.

    async with bridge.open_board("/dev/ttyUSB0", trace="fault.trace") as board: ...

    replayed = bridge.trace.replay("fault.trace")       # the bytes of that file, through the parser of today
    print(replayed.damaged, replayed.messages)

`port` records (`TracedPort` around any port), `elision` takes the secrets out before anything is kept, `file` is the
form of the file, `playback` feeds it to sessions again, `timeline` and `show` make it readable.
"""

from __future__ import annotations

from bridge.trace.file import Record, Trace, read
from bridge.trace.playback import replay
from bridge.trace.port import TracedPort, announce, note, open_traced
from bridge.trace.recorder import Recorder
from bridge.trace.replayed import Replay, SessionReplay

__all__ = [
    "Record", "Recorder", "Replay", "SessionReplay", "Trace", "TracedPort", "announce", "note", "open_traced", "read",
    "replay",
]  # fmt: skip
