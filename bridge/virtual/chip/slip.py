"""SLIP frames as the boot ROM and the flasher stub use them."""

from __future__ import annotations

END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE = 0xC0, 0xDB, 0xDC, 0xDD


def encode(data: bytes) -> bytes:
    """A frame with its delimiters."""
    return b"\xc0" + data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


class Decoder:
    """Takes bytes in any pieces, gives whole frames; what stands between frames is dropped.

    Args:
        limit: longest frame in bytes; a longer one is dropped whole.
    """

    def __init__(self, limit: int = 0x8000) -> None:
        self._limit = limit
        self._frame: bytearray | None = None
        self._escaped = False

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that end in `data`, without delimiters and escapes; empty ones are left out."""
        done: list[bytes] = []
        for byte in data:
            if self._frame is None:
                if byte == END:
                    self._frame = bytearray()
                continue
            if self._escaped:
                self._escaped = False
                if byte == ESCAPED_END:
                    self._frame.append(END)
                elif byte == ESCAPED_ESCAPE:
                    self._frame.append(ESCAPE)
                else:
                    self._frame = None
            elif byte == ESCAPE:
                self._escaped = True
            elif byte == END:
                if self._frame:
                    done.append(bytes(self._frame))
                    self._frame = None
                # Else the delimiter of a frame that we came into late: the next frame begins here.
            else:
                self._frame.append(byte)
            if self._frame is not None and len(self._frame) > self._limit:
                self._frame = None
        return done
