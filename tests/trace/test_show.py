from __future__ import annotations

import json
from pathlib import Path

from bridge.trace import read
from bridge.trace.file import header, line
from bridge.trace.show import lines, objects, quoted
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.messages import Call, Event, Hello, Message, encode
from bridge.wire.values import Handle

CODEC = Codec(CheckKind.CRC, 3)
HELLO = Hello(b"12345678", ())


def frame(seq: int, message: Message, *, to_host: bool = True, ack: int = 0) -> str:
    data = CODEC.encode(Frame(Kind.LAST, seq, ack, payload=encode(message)), to_host=to_host)
    return data.decode("latin-1")


def a_trace(tmp_path: Path) -> Path:
    call = frame(0, Call(73, 7, (Handle(2), b"8 bytes!")), to_host=False, ack=1)
    path = tmp_path / "a"
    path.write_bytes(
        header("virtual:", bridge="0.1.0", started="2025-01-31T12:00:00+00:00")
        + line(0.0, "=", "open", baud=115200)
        + line(0.1, ">", "\x7f" * 256 + "\r\nnode.heap()\r\n")
        + line(0.2, "<", frame(0, HELLO))
        + line(0.2, "=", "session", check="crc", epoch=3, baud=115200, damage=0.0)
        + line(1.234567, ">", call)
        + line(1.5, ">", "\0" + call)
        + line(1.6, "<", "\0\x01\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\0", elided=10)
        + line(1.7, "<", frame(2, Event(2, 5)))
        + line(1.8, "<", frame(1, Event(1, 5)))
        + line(1.9, "<", "some text\r\n\0")
        + line(2.0, "!", "the port is gone")
        + b'{"t": 2.'
    )
    return path


def test_lines_for_people(tmp_path: Path) -> None:
    assert list(lines(read(a_trace(tmp_path)))) == [
        "= trace of virtual:, started 2025-01-31T12:00:00+00:00, bridge 0.1.0",
        "  0.000000 = open baud=115200",
        '  0.100000 > "\\x7f×256\\r\\n"',
        '  0.100000 > "node.heap()\\r\\n"',
        "  0.200000 < #0 ack=0 9 bytes HELLO b'12345678'",
        "  0.200000 = session check=crc epoch=3 baud=115200 damage=0.0",
        "  1.234567 > #0 ack=1 16 bytes CALL 73 7 Handle(number=2) b'8 bytes!'",
        "  1.500000 > #0 ack=1 16 bytes again",
        "  1.600000 ! < 10 bytes are no frame, blanked as they may hold a secret: 01 ff fe fd fc fb fa f9 f8 f7",
        "  1.700000 < #2 ack=0 4 bytes",
        "  1.800000 < #1 ack=0 4 bytes EVENT 1 5",
        "  1.800000 <   EVENT 2 5",
        '  1.900000 < "some text\\r\\n"',
        "  2.000000 ! the port is gone",
        "= the last line of the file is not whole: whoever wrote it was stopped",
        "= 2.000 s, 1 session",
        f"= sent {272 + 2 * len(frame(0, Call(73, 7, (Handle(2), b'8 bytes!')), to_host=False))} bytes, "
        "2 frames, 1 of them again",
        "= received 65 bytes, 3 frames, 0 of them again",
        "= 1 damaged segment, 10 bytes elided",
    ]


def test_objects_for_programs(tmp_path: Path) -> None:
    found = [json.loads(json.dumps(each)) for each in objects(read(a_trace(tmp_path)))]
    assert found[0] == {
        "what": "trace", "trace": 1, "port": "virtual:", "bridge": "0.1.0", "started": "2025-01-31T12:00:00+00:00",
        "cut": True,
    }  # fmt: skip
    assert found[1] == {"t": 0.0, "mark": "=", "what": "note", "text": "open", "facts": {"baud": 115200}}
    assert found[3] == {"t": 0.1, "mark": ">", "what": "text", "text": "node.heap()\r\n"}
    assert found[6] == {
        "t": 1.234567, "mark": ">", "what": "frame", "seq": 0, "ack": 1, "last": True, "bytes": 16, "again": False,
        "messages": ["CALL 73 7 Handle(number=2) b'8 bytes!'"],
    }  # fmt: skip
    assert found[8] == {
        "t": 1.6, "mark": "<", "what": "damage", "bytes": 10, "hex": "01fffefdfcfbfaf9f8f7", "elided": True,
    }  # fmt: skip
    assert found[-2] == {"t": 2.0, "mark": "!", "what": "fault", "text": "the port is gone", "facts": {}}
    assert found[-1]["what"] == "summary" and found[-1]["damaged"] == 1 and found[-1]["sent"]["again"] == 1


def test_text_in_one_line() -> None:
    assert quoted(b'a "b" \\ \t\r\n\x00\xff') == '"a \\"b\\" \\\\ \\t\\r\\n\\x00\\xff"'
    assert quoted("Grüße ✓".encode()) == '"Grüße ✓"'
    assert quoted(b"\b \b" * 30 + b"x" + b"\0" * 9) == '"\\x08 \\x08×30x' + "\\x00" * 9 + '"'
