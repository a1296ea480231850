from __future__ import annotations

import base64
import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bridge
from bridge.cli import fs_reports as reports
from bridge.cli import main
from bridge.files.names import scratch_for
from tests.cli.invoke import invoke
from tests.unprivileged import unprivileged

EVERY_BYTE = bytes(range(256)) * 3


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A board whose flash lasts from one command to the next; the working folder is a fresh one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return f"virtual:?clock=virtual&flash=0&cpu=0&flash_size={1 << 20}&flash_file={tmp_path / 'flash.bin'}"


def write(**files: bytes) -> None:
    for name, data in files.items():
        Path(name.replace("__", ".")).write_bytes(data)


def test_a_day_of_files(capfd: pytest.CaptureFixture[str], board: str) -> None:
    write(init__lua=b"print('hi')\n", every__bin=EVERY_BYTE, empty=b"")
    port = ("--port", board)
    code, out, err = invoke(capfd, "fs", "put", "init.lua", "every.bin", "empty", *port)
    assert (code, err) == (0, "") and out.startswith("init.lua: 12 bytes in ") and "compared by sha256\n" in out
    assert invoke(capfd, "fs", "ls", *port) == (0, "  0  empty\n768  every.bin\n 12  init.lua\n", "")
    assert invoke(capfd, "fs", "cat", "init.lua", *port) == (0, "print('hi')\n", "")
    assert invoke(capfd, "fs", "mv", "every.bin", "www/all", *port) == (0, "", "")
    assert invoke(capfd, "fs", "get", "www/all", "empty", *port) == (
        0, "www/all: 768 bytes, now in all\nempty: 0 bytes, now in empty\n", ""
    )  # fmt: skip
    assert Path("all").read_bytes() == EVERY_BYTE
    assert invoke(capfd, "fs", "get", "www/all", "--to", "renamed", *port)[0] == 0
    assert Path("renamed").read_bytes() == EVERY_BYTE
    code, out, _ = invoke(capfd, "fs", "df", *port)
    assert code == 0 and out.startswith("529359 bytes, ") and "The largest file that can be sent has " in out
    assert invoke(capfd, "fs", "rm", "empty", "www/all", *port) == (0, "", "")
    assert invoke(capfd, "fs", "format", "--yes", *port) == (0, "All files are erased.\n", "")
    assert invoke(capfd, "fs", "ls", *port) == (0, "", "")


def test_a_folder(capfd: pytest.CaptureFixture[str], board: str) -> None:
    Path("site/www").mkdir(parents=True)
    write(**{"site/init__lua": b"-- 1", "site/www/index__html": EVERY_BYTE, "site/.git": b"", "old": b"x"})
    assert invoke(capfd, "fs", "put", "old", "--port", board)[0] == 0
    code, out, err = invoke(capfd, "fs", "sync", "site", "--delete", "--dry-run", "--port", board)
    assert (code, err) == (0, "") and out.splitlines() == [
        "would be removed: old", "would be sent: init.lua", "would be sent: www/index.html", "left out: .git",
        "2 would be sent, 0 the same, 1 would be removed, 0 others on the board",
    ]  # fmt: skip
    code, out, _ = invoke(capfd, "fs", "sync", "site", "--port", board)
    assert code == 0 and out.splitlines()[-1] == "2 sent, 0 the same, 0 removed, 1 others on the board"
    code, out, _ = invoke(capfd, "fs", "sync", "site", "--delete", "--port", board)
    assert code == 0 and out.splitlines()[-1] == "0 sent, 2 the same, 1 removed, 0 others on the board"


def test_nothing_is_sent_when_one_file_has_no_room(capfd: pytest.CaptureFixture[str], board: str) -> None:
    write(blink__lua=b"old")
    assert invoke(capfd, "fs", "put", "blink.lua", "--port", board)[0] == 0
    write(blink__lua=b"new", big=bytes(300_000), bigger=bytes(300_000))
    code, out, err = invoke(capfd, "fs", "put", "blink.lua", "big", "bigger", "--port", board)
    assert (code, out) == (1, "") and "no room for bigger (300000 bytes) beside the other files" in err
    assert invoke(capfd, "fs", "ls", "--port", board)[1] == "3  blink.lua\n"
    assert invoke(capfd, "fs", "cat", "blink.lua", "--port", board)[1] == "old"


def test_where_a_file_goes(capfd: pytest.CaptureFixture[str], board: str) -> None:
    write(a=b"text")
    assert invoke(capfd, "fs", "put", "a", "--port", board)[0] == 0
    code, _, err = invoke(capfd, "fs", "get", "a", "--to", "logs/", "--port", board)
    assert code == 2 and "There is no folder logs" in err and not Path("logs").exists()
    Path("logs").mkdir()
    assert invoke(capfd, "fs", "get", "a", "--to", "logs/", "--port", board)[0] == 0
    assert Path("logs/a").read_bytes() == b"text"
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert invoke(capfd, "fs", "get", "a", "--to", "pipe", "--port", board)[0] == 0
    assert os.read(reader, 9) == b"text" and Path("pipe").is_fifo()
    os.close(reader)


def test_json(capfd: pytest.CaptureFixture[str], board: str) -> None:
    write(**{"a__bin": EVERY_BYTE, "b": b"b"})
    Path("folder").mkdir()

    def report(kind: type[reports.FsReport], *arguments: str) -> dict[str, object]:
        code, out, err = invoke(capfd, "fs", *arguments, "--json", "--port", board)
        assert (code, err) == (0, "")
        found = kind.model_validate_json(out).model_dump()
        assert {key: found.pop(key) for key in ("port", "via", "finished")} == {
            "port": board, "via": "agent", "finished": []
        }  # fmt: skip
        return found

    [sent] = report(reports.FsPut, "put", "a.bin", "--as", "x")["files"]  # type: ignore[misc]
    assert sent == {"name": "x", "size": 768, "path": "a.bin", "digest": "sha256", "seconds": sent["seconds"]}
    assert report(reports.FsList, "ls") == {"files": [{"name": "x", "size": 768}]}
    assert report(reports.FsCat, "cat", "x") == {
        "name": "x", "size": 768, "base64": base64.b64encode(EVERY_BYTE).decode()
    }  # fmt: skip
    assert report(reports.FsGet, "get", "x") == {"files": [{"name": "x", "size": 768, "path": "x"}]}
    assert report(reports.FsMove, "mv", "x", "y") == {"old": "x", "new": "y"}
    assert report(reports.FsSpace, "df")["total"] == 529_359
    assert report(reports.FsSync, "sync", "folder", "--delete")["removed"] == ["y"]
    assert invoke(capfd, "fs", "put", "b", "--port", board)[0] == 0
    assert report(reports.FsRemove, "rm", "b", "b") == {"removed": ["b"]}
    assert report(reports.FsFormat, "format", "--yes") == {}


def test_bytes_of_a_file_pass_unchanged(capfdbinary: pytest.CaptureFixture[bytes], board: str) -> None:
    write(a=EVERY_BYTE)
    assert main(["fs", "put", "a", "--port", board]) == 0
    capfdbinary.readouterr()
    assert main(["fs", "cat", "a", "--port", board]) == 0
    assert capfdbinary.readouterr().out == EVERY_BYTE


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("put", "nosuch"), 2, "nosuch cannot be read (No such file or directory)"),
        (("put", "folder"), 2, "folder is a folder"),
        (("put", "a", "--as", "x" * 32), 2, "has 32 bytes, and names on the board have at most 31"),
        (("put", "a", "folder/a"), 2, "Two of the files have the same name"),
        (("put", "a", "b", "--as", "c"), 2, "--as names one file"),
        (("put", "a", "--as", "/a"), 2, "another drive"),
        (("put",), 2, "Missing argument"),
        (("get", "nosuch"), 1, "There is no file nosuch on the board"),
        (("get", "nosuch", "--to", "missing/a"), 2, "there is no folder missing"),
        (("get", "x/a", "y/a"), 2, "the same name here"),
        (("get", "x/.."), 2, "gives no name of a file here"),
        (("cat", "nosuch"), 1, "There is no file nosuch on the board"),
        (("rm", "nosuch", "other"), 1, "There is no file nosuch and no file other on the board"),
        (("mv", "nosuch", "b"), 1, "There is no file nosuch on the board"),
        (("mv", "a", ""), 2, "A file needs a name"),
        (("sync", "nosuch"), 2, "nosuch is not there"),
        (("sync", "a"), 2, "a is no folder"),
        (("put", "big"), 1, "big has 600000 bytes, and the board's file system has room for "),
        (("format",), 2, "somebody has to agree"),
        (("nosuch",), 2, "No such command"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_sentence(
    capfd: pytest.CaptureFixture[str], board: str, arguments: tuple[str, ...], code: int, why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    Path("folder").mkdir()
    write(a=b"a", b=b"b", big=bytes(600_000), **{"folder/a": b"a"})
    monkeypatch.setattr("sys.stdin", io.StringIO())
    found = invoke(capfd, "fs", *arguments, *(() if arguments == ("nosuch",) else ("--port", board)))
    assert found[:2] == (code, "") and why in found[2] and "Traceback" not in found[2]
    if "Usage" not in found[2]:
        assert found[2].count("\n") == 1 and found[2].startswith("nodemcu-bridge: ")


def test_a_file_that_may_not_be_read(capfd: pytest.CaptureFixture[str], board: str) -> None:
    write(secret=b"x")
    Path("secret").chmod(0)
    with unprivileged():
        code, _, err = invoke(capfd, "fs", "put", "secret", "--port", board)
    assert code == 2 and "Permission denied" in err


def test_a_board_that_restarts_meanwhile(capfd: pytest.CaptureFixture[str], board: str) -> None:
    write(a=bytes(150_000))
    assert invoke(capfd, "fs", "put", "a", "--port", board)[0] == 0
    write(a=b"new" * 50_000)
    code, out, err = invoke(capfd, "fs", "put", "a", "--port", f"{board}&reset_after_s=2.5")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "The board restarted" in err and "Run the same again" in err
    assert invoke(capfd, "fs", "put", "a", "--port", board)[0] == 0
    assert invoke(capfd, "fs", "get", "a", "--port", board)[0] == 0
    assert Path("a").read_bytes() == b"new" * 50_000


def test_what_was_cut_off_is_said(capfd: pytest.CaptureFixture[str], board: str) -> None:
    scratch = scratch_for(b"init.lua")
    source = f"file.putcontents('{scratch.done}','new') file.putcontents('{scratch.name}','init.lua')"
    assert invoke(capfd, "exec", source, "--port", board)[0] == 0
    assert invoke(capfd, "fs", "ls", "--port", board) == (
        0, "3  init.lua\n", "The upload of init.lua was cut off earlier, and is finished now.\n"
    )  # fmt: skip


def test_format_asks_on_a_terminal(
    capfd: pytest.CaptureFixture[str], board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal, "r+b", buffering=0) as raw, open(raw.fileno(), closefd=False) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(keyboard, b"n\n")
        code, out, err = invoke(capfd, "fs", "format", "--port", board)
        assert (code, out) == (0, "") and "Erase all files" in err and "Nothing was erased." in err
    os.close(keyboard)


@pytest.mark.parametrize("before", [0, 981, 1490, 1493])
def test_what_is_secret_in_a_file_is_in_no_trace(
    capfd: pytest.CaptureFixture[str], board: str, before: int
) -> None:  # fmt: skip
    """Also where the pieces in which it goes or comes cut it."""
    key = b"Geheim7wort9Lang"
    write(init__lua=b"-- " + b"x" * before + b"\nlocal t = {ssid='home'}\nt.pwd = '" + key + b"'\nwifi.sta.config(t)\n")
    for command in (("put", "init.lua", "--as", "start.lua"), ("get", "start.lua")):
        assert invoke(capfd, "fs", *command, "--trace", "trace", "--port", board)[0] == 0
        kept = Path("trace").read_bytes()
        assert kept and key[:7] not in kept and key[-7:] not in kept
        code, out, _ = invoke(capfd, "trace", "show", "trace")
        assert code == 0 and re.search(r"damaged segments, [1-9]\d* bytes elided", out)
        Path("trace").unlink()
    assert key in Path("start.lua").read_bytes()


def test_a_terminal_sees_how_far_it_is(board: str) -> None:
    """Also of names that mean something to what draws it."""
    write(a=bytes(20_000))
    keyboard, terminal = os.openpty()
    command = [sys.executable, "-m", "bridge.cli", "fs", "put", "a", "--as", "[/x]", "--port", board]
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(bridge.__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, text=True, env=environment) as process:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the end of the other side
            while piece := os.read(keyboard, 4096):
                shown += piece
        assert process.stdout is not None and process.stdout.read().startswith("[/x]: 20000 bytes in ")
    os.close(keyboard)
    assert process.returncode == 0 and b"[/x]" in shown and b"20.0/20.0 kB" in shown


def test_nobody_can_be_asked_where_standard_input_is_closed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)  # as Python has it then
    code, _, err = invoke(capfd, "fs", "format", "--port", "virtual:")
    assert code == 2 and "somebody has to agree" in err
