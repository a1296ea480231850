"""Digests of files, computed by the board from its flash, and the same ones here.

Which one it is says the firmware: SHA-256 with the module `crypto`; two runs of `ow.crc16` with `ow`, the second one
over each piece backwards, as `bridge.wire.check` has it; else two polynomials in plain Lua.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from bridge.errors import LinkError
from bridge.wire.check import crc16

#: Bytes of one read on the board (FILE_READ_CHUNK), and reads of one call: a task there should be over soon.
_PIECE, _PIECES = 1024, 4
#: The two polynomials: factor and prime. factor · prime + 65 535 < 2³¹: exact in each build's numbers.
_FIRST, _SECOND = (253, 8_388_593), (239, 8_388_587)

#: Returns the kind that the firmware can compute.
KIND = """
return crypto and crypto.new_hash and pcall(crypto.new_hash, "sha256") and "sha256"
or ow and ow.crc16 and "crc16" or "sum"
"""
#: Kind → what makes a function on the board that takes data, and that returns the digest when it gets none.
_TAKERS = {
    "sha256": """
local hash = crypto.new_hash("sha256")
return function(data)
if not data then return hash:finalize() end
hash:update(data)
end""",
    "crc16": """
local crc, a, b = ow.crc16, 0, 0
return function(data)
if not data then return ("%04x%04x"):format(a, b) end
a, b = crc(data, a), crc(data:reverse(), b)
end""",
    "sum": f"""
local a, b = 1, 1
return function(data)
if not data then return ("%06x%06x"):format(a, b) end
for at = 1, #data, 2 do
local high, low = data:byte(at, at + 1)
high = high * 256 + (low or 0)
a = (a * {_FIRST[0]} + high) % {_FIRST[1]}
b = (b * {_SECOND[0]} + high) % {_SECOND[1]}
end
end""",
}


def source(kind: str) -> str:
    """Lua that returns a function which computes digests of files.

    With a name it begins with that file, without one it goes on. It returns nil as long as there is more to come,
    then the digest; false when there is no such file, or nothing left of it.

    Args:
        kind: what `KIND` has returned.

    Raises:
        LinkError: the kind is unknown.
    """
    return f"""
local opened, take
local function new(){_TAKERS[_known(kind)]}
end
return function(name)
if name then
if opened then opened:close() end
opened = file.open(name)
take = new()
end
if not opened then return false end
for _ = 1, {_PIECES} do
local data = opened:read({_PIECE})
if not data then
opened:close()
opened = nil
return take()
end
take(data)
end
end"""


def steps(size: int) -> int:
    """Calls of the function on the board that a file of so many bytes takes."""
    return (-(-size // _PIECE) + 1 + _PIECES - 1) // _PIECES


def digest(kind: str, data: bytes) -> bytes:
    """What the board makes of a file that holds these bytes.

    Raises:
        LinkError: the board computes a kind that this package does not know.
    """
    return _KINDS[_known(kind)](data)


def _known(kind: str) -> str:
    if kind not in _KINDS:
        raise LinkError(f"The board computes digests of the unknown kind {kind!r}")
    return kind


def _crcs(data: bytes) -> bytes:
    a = b = 0
    for at in range(0, len(data), _PIECE):
        piece = data[at : at + _PIECE]
        a, b = crc16(piece, a), crc16(piece[::-1], b)
    return b"%04x%04x" % (a, b)


def _sums(data: bytes) -> bytes:
    (f, p), (g, q) = _FIRST, _SECOND
    a = b = 1
    padded = data + b"\0" * (len(data) % 2)
    for at in range(0, len(padded), 2):
        word = padded[at] << 8 | padded[at + 1]
        a, b = (a * f + word) % p, (b * g + word) % q
    return b"%06x%06x" % (a, b)


_KINDS: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "crc16": _crcs,
    "sum": _sums,
}
