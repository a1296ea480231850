from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from bridge.trace import replay
from bridge.wire.messages import Source
from tests.cli.invoke import BOARD, invoke
from tests.images import image
from tests.trace.leaks import assert_no_leak

KEY = b"QXZJ#VWK"


def lines(capfd: pytest.CaptureFixture[str], path: Path) -> list[str]:
    code, out, err = invoke(capfd, "trace", "show", str(path))
    assert (code, err) == (0, "")
    return out.splitlines()


def test_a_command_is_traced_shown_and_played_again(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert invoke(capfd, "exec", "print('hello') return 6*7", "--port", BOARD, "--trace", str(path)) == (
        0, "hello\n42\n", "",
    )  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600
    shown = lines(capfd, path)
    assert shown[0].startswith("= trace of virtual:?clock=virtual, started 2")
    for words in ("= session check=", "= board state=ready", "SOURCE b\"print('hello') return 6*7\"", "CALL 0", " 42"):
        assert any(words in line for line in shown), words
    assert any(line.endswith('< "hello\\r\\n"') for line in shown)
    assert shown[-1] == "= 0 damaged segments, 0 bytes elided"
    times = [float(line[:10]) for line in shown if line[0] == " "]
    assert times == sorted(times) and times[-1] > 0.5

    code, out, err = invoke(capfd, "trace", "replay", str(path))
    assert (code, err) == (0, "") and "< HELLO" in out and '< "hello\\r\\n"' in out
    assert out.splitlines()[-1].endswith("0 damaged segments")
    code, out, _ = invoke(capfd, "trace", "replay", str(path), "--json")
    [session] = json.loads(out)["sessions"]
    assert session["damaged"] == 0 and session["failure"] is None and len(session["messages"]) > 2
    code, out, _ = invoke(capfd, "trace", "show", str(path), "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert found[0]["trace"] == 1 and found[-1]["what"] == "summary" and found[-1]["sessions"] == 1


def test_every_command_that_talks_to_a_board(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program = tmp_path / "program.lua"
    program.write_text("print('from a file')\n")
    for arguments in (["info"], ["doctor"], ["exec", "=1"], ["run", str(program)]):
        path = tmp_path / arguments[0]
        code, _, err = invoke(capfd, *arguments, "--port", BOARD, "--trace", str(path))
        assert (code, err) == (0, "")
        shown = lines(capfd, path)
        assert any("= open baud=115200" in line for line in shown) and any("= close" in line for line in shown)
        assert any("@table" in line for line in shown), "what the prompt says"
    assert "there is no session" in invoke(capfd, "trace", "replay", str(tmp_path / "info"))[1]


def test_flashing_leaves_what_it_was_at(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "firmware.bin").write_bytes(image("net,node,tmr,uart"))
    path = tmp_path / "a"
    firmware = str(tmp_path / "firmware.bin")
    code, _, _ = invoke(capfd, "flash", firmware, "--port", "virtual:?baud_pacing=0", "--trace", str(path))
    assert code == 0
    stages = [line.split("stage=")[1] for line in lines(capfd, path) if "stage=" in line]
    assert stages[0] == "connecting to the ROM loader" and "writing" in stages and stages[-1] == "starting"
    code, _, err = invoke(capfd, "flash", firmware, "--port", "/dev/nosuchport", "--trace", str(path))
    assert code == 1 and any("! There is no port /dev/nosuchport" in line for line in lines(capfd, path))


def test_a_key_in_a_program_a_port_and_an_error(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, key = tmp_path / "a", KEY.decode()
    program = tmp_path / "program.lua"
    program.write_text(
        f"local c = {{ssid='home', pwd='{key}', auto=false}}\n" + "-- a line that makes it long\n" * 60
        + f"wifi.sta.config(c) print('{key}') print(wifi.sta.getconfig()) error('no {key}')\n"
    )  # fmt: skip
    url = f"{BOARD}&wifi=home:{key}".replace("#", "%23")
    code, out, err = invoke(capfd, "run", str(program), "--port", url, "--trace", str(path))
    assert code == 1 and key in out and key in err, "it was there"
    assert_no_leak(path, KEY)
    shown = "\n".join(lines(capfd, path))
    sent = b"".join(message.text for message in replay(path).sent if isinstance(message, Source))
    assert b"pwd='********'" in sent and b"-- a line that makes it long" in sent and "wifi=home:*" in shown
    assert "FAILURE" in shown and "*" * len(KEY) in shown


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"", "is empty"),
        (bytes(range(256)), "is no trace"),
        (b'{"trace": 1, "port": "x"', "is no trace"),
        (b'{"trace": 2, "port": "x"}\n', "version 2"),
        (b'{"trace": 1, "port": "x"}\n{"t": 0, ">": "a"}\n{"t"\n{"t": 1, ">": "b"}\n', "line 3"),
        (b'{"trace": 1, "port": "x"}\n{"t": 0, "=": "session"}\n', "no check or epoch"),
    ],
)
@pytest.mark.parametrize("verb", ["show", "replay"])
def test_a_file_that_is_no_good(
    verb: str, content: bytes | None, words: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "bad file"
    if content is not None:
        path.write_bytes(content)
    code, out, err = invoke(capfd, "trace", verb, str(path))
    assert (code, out, err.count("\n")) == (2, "", 1) and words in err and "bad file" in err and "Traceback" not in err


def test_a_folder_is_no_trace(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = invoke(capfd, "trace", "show", str(tmp_path))
    assert code == 2 and "cannot be read" in err


@pytest.mark.parametrize("arguments", [["info"], ["doctor"], ["exec", "=1"]])
def test_a_trace_that_cannot_be_written(
    arguments: list[str], capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "no" / "folder"):
        code, out, err = invoke(capfd, *arguments, "--port", "/dev/nosuchport", "--trace", str(path))
        # `doctor` says what is wrong where it says all else.
        assert code == 2 and "cannot be written" in out + err and "nosuchport" not in out + err
    precious = tmp_path / "thesis"
    precious.write_text("words")
    code, out, err = invoke(capfd, *arguments, "--port", BOARD, "--trace", str(precious))
    assert code == 2 and "would be overwritten" in out + err and precious.read_text() == "words"


def test_a_command_that_is_killed_leaves_a_trace_that_can_be_read(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "a"
    source = f"print('go') tmr.create():alarm(5, 1, function() print('pwd={KEY.decode()}') end)"

    async def scenario() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bridge.cli", "exec", source, "--wait", "60", "--trace", str(path),
            "--port", "virtual:?cpu=0&baud_pacing=0", stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while await process.stdout.readline() != b"pwd=" + KEY + b"\n":
                pass
            for _ in range(100):
                await process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        await process.stdout.read()

    asyncio.run(scenario())
    assert_no_leak(path, KEY)
    shown = lines(capfd, path)
    assert any("CALL" in line for line in shown) and any('< "pwd=********' in line for line in shown)
    assert len(replay(path).messages) >= 2


def test_without_a_verb_it_says_what_there_is(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "trace", "--help")
    assert code == 0 and "show" in out and "replay" in out
