"""What the loader says to a board: the Lua that checks what arrives, and the lines that carry pieces of a source.

First at the prompt, a line is a call with a quoted piece. The prompt echoes each line and answers a damaged one with a
traceback, which is more than the piece itself. So on a bad line a function is loaded that takes the UART over, for as
long as it hears whole lines, and reads lines of its own: the place of a piece, its hash, the piece.
"""

from __future__ import annotations

from bridge.wire.check import hash24

#: The table's name on the board; unlikely in anybody's program.
TABLE = "_nb"

#: Seconds after which a board that hears no whole line gives the prompt back by itself.
RAW_SECONDS = 3.0

#: The hash that everything else is checked with.
HASH = f"function {TABLE}.H(s,h)for k=1,#s do h=(h*127+s:byte(k))%16777213 end return h end"
#: Stores a piece under its place in the source, if its hash, started from that place, is h; then prints h. Typed as a
#: string whose hash is asked for: what a flipped bit makes of this, such as `<=`, may look right at a first try.
STORE = f'function {TABLE}.C(i,s,h)if {TABLE}.H(s,i)==h then {TABLE}[i]=s collectgarbage()print("@"..h)end end'
#: Takes the UART over: a line is a place, a hash and a piece; at place 0 it is a line of Lua that is run at once. What
#: is not whole is answered with a question mark.
#: The place is read by tonumber: `i+0` of a string is a float on 5.3, of 24 bits, in which the hash would be rounded.
RAW = (
    f"local B={TABLE} B.t=tmr.create()local function l()uart.on('data')end "
    r"local function k(d)local i,h,s=d:match('^(%d+) (%d+) (.*)\r$')"
    r"if s then i,s=tonumber(i),s:gsub('\\(%d%d%d)',string.char)"
    f"if B.H(s,i)==h+0 then B.t:alarm({RAW_SECONDS * 1000:.0f},0,l)"
    "if i>0 then B[i]=s collectgarbage()print('@'..h)else loadstring(s)()end return end end print('?')end "
    f"function B.W()B.t:alarm({RAW_SECONDS * 1000:.0f},0,l)"
    r"uart.on('data','\r',function(d)if not pcall(k,d)then print('?')end end,0)print('@raw')end"
)
#: Runs a source of b bytes if its hash, started from the run's number n, is h. Prints number, success, hash, result.
RUN = (
    f"local B={TABLE} B.A={{}}function B.R(b,h,n)if B.n~=n then local x,i=n,1 "
    "while i<=b and B[i]do x=B.H(B[i],x)i=i+#B[i]end "
    'if x~=h then return print("@-")end B.n=n i=1 collectgarbage()'
    "local k,f,e=pcall(load,function()local s=i<=b and B[i]if s then B[i]=nil i=i+#s return s end end,"
    '"=lua")if k and f then k,f=pcall(f,B.A)else k,f=false,e or f end '
    'B.o,B.r=k,tostring(f):gsub("%c"," ")end print("@"..n,B.o,B.H(B.r,0),B.r)end'
)

#: Characters of a line's piece at most, as it is written.
LONGEST = 200


def load_stored(size: int) -> str:
    """A line that compiles and runs the stored source of so many bytes, unchecked but for the hashes of its pieces."""
    # What does not compile is printed: raised, it would get a traceback, for which a full heap has no room.
    run = "local f,e=loadstring(s)if f then f()else print(e)end"
    return f'local s,i="",1 while i<={size} do s=s..{TABLE}[i]i=i+#{TABLE}[i]end {run}'


def answer_to(place: int, piece: bytes) -> bytes:
    """What the board says when it has stored a piece, at the prompt or behind it."""
    return b"@%d\r" % hash24(piece, place)


def prompt_line(place: int, piece: bytes) -> bytes:
    """A line for the prompt that stores a piece. The hash covers the place too, which may also be damaged."""
    return b'%s.C(%d,"%s",%d)' % (TABLE.encode(), place, _escaped(piece, b'"\\'), hash24(piece, place))


def raw_line(place: int, piece: bytes) -> bytes:
    """The same for the board's own reader; at place 0 the piece is a line of Lua.

    It begins with two numbers: at a prompt, after a restart that nobody noticed, it is a syntax error.
    """
    return b"%d %d %s" % (place, hash24(piece, place), _escaped(piece, b"\\"))


def quoted(data: bytes) -> str:
    """Bytes as a string of Lua."""
    return '"' + _escaped(data, b'"\\').decode() + '"'


def cut(text: bytes, size: int) -> bytes:
    """As much of the text as fits a line when it is escaped."""
    piece = text[:size]
    while len(_escaped(piece, b'"\\')) > LONGEST:
        piece = piece[: len(piece) - 8]
    return piece


def joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in their order, with those that touch made one."""
    out: list[tuple[int, int]] = []
    for begin, end in ranges:
        if out and out[-1][1] == begin:
            out[-1] = out[-1][0], end
        else:
            out.append((begin, end))
    return out


def _escaped(piece: bytes, special: bytes) -> bytes:
    """Without line ends and such; only decimal escapes mean the same in each version."""
    out = bytearray()
    for byte in piece:
        if byte in special or not 32 <= byte < 127:
            out += b"\\%03d" % byte
        else:
            out.append(byte)
    return bytes(out)
