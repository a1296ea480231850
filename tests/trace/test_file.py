from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.trace.file import create, header, line, read


def written(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    every = bytes(range(256))
    path = written(
        tmp_path / "a",
        header("virtual:", bridge="1"),
        line(0.1234567, ">", every.decode("latin-1")),
        line(1, "<", "x", elided=3),
        line(2, "=", "baud", baud=9600),
        line(3, "!", "gone"),
    )
    assert path.read_bytes().isascii()
    trace = read(path)
    assert trace.header["port"] == "virtual:" and not trace.cut
    assert [(r.t, r.mark, r.data, r.text, r.facts, r.elided) for r in trace.records] == [
        (0.123457, ">", every, "", {}, 0),
        (1.0, "<", b"x", "", {}, 3),
        (2.0, "=", b"", "baud", {"baud": 9600}, 0),
        (3.0, "!", b"", "gone", {}, 0),
    ]


def test_the_last_line_may_be_cut(tmp_path: Path) -> None:
    path = written(tmp_path / "a", header("p"), line(1, ">", "one"), line(2, ">", "two")[:-4])
    trace = read(path)
    assert trace.cut and [record.data for record in trace.records] == [b"one"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x7fELF" + bytes(100), "is no trace"),
        (b'{"t": 1, ">": "x"}\n', "is no trace"),
        (b"[1]\n", "is no trace"),
        (header("p")[:-5], "is no trace"),
        (header("p").replace(b'"trace": 1', b'"trace": 9'), "is a trace of version 9"),
        (header("p") + b"nonsense\n", "line 2 is none"),
        (header("p") + line(1, ">", "x") + b'{"t": 1}\n', "line 3 is none"),
        (header("p") + b'{"t": "1", ">": "x"}\n', "line 2 is none"),
        (header("p") + b'{"t": 1, ">": 5}\n', "line 2 is none"),
        (header("p") + b'{"t": 1, ">": "\\u1234"}\n', "line 2 is none"),
        (header("p") + b'{"t": 1, ">": "x", "elided": "y"}\n', "line 2 is none"),
        (header("p") + b'{"t": 1, ">": "x", "elided": -1}\n', "line 2 is none"),
        *((header("p") + b'{"t": %s, ">": "x"}\n' % t, "line 2 is none") for t in (b"1e999", b"NaN", b"9" * 400)),
        (header("p") + line(1, "=", "baud", baud=10**400), "line 2 is none"),
        (header("p") + line(1, "=", "baud", baud=float("inf")), "line 2 is none"),
        (header("p") + line(1, "=", "baud", baud=0), "line 2 is none"),
        (header("p") + line(1, "=", "baud", baud="fast"), "line 2 is none"),
        (header("p") + line(1, "=", "session", damage=float("nan")), "line 2 is none"),
        (header("p") + b"[" * 100_000 + b"\n", "line 2 is none"),
    ],
)
def test_what_is_no_trace_is_said_in_one_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    path = written(tmp_path / "some file", content)
    with pytest.raises(UsageError, match=words) as caught:
        read(path)
    assert "some file" in str(caught.value) and caught.value.remedy and caught.value.exit_code == 2


def test_what_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="cannot be read"):
            read(path)


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    old = written(tmp_path / "a", header("p"))
    old.chmod(0o644)
    before = os.umask(0)
    try:
        for path in (old, tmp_path / "b"):
            os.close(create(path))
            assert path.stat().st_mode & 0o777 == 0o600 and path.stat().st_size == 0
    finally:
        os.umask(before)


def test_another_file_is_not_overwritten(tmp_path: Path) -> None:
    precious = written(tmp_path / "thesis.txt", b"words\n")
    with pytest.raises(UsageError, match="is no trace and would be overwritten"):
        create(precious)
    assert precious.read_bytes() == b"words\n"
    os.close(create(written(tmp_path / "empty", b"")))


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "folder"):
        with pytest.raises(UsageError, match="cannot be written"):
            create(path)
