from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.trace import Recorder, read
from bridge.trace.elision import DOUBT_SECONDS, FRAME_SECONDS
from bridge.trace.recorder import public_url
from bridge.virtual import clock
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.messages import Reply, encode
from tests.trace.leaks import assert_no_leak

KEY = "QXZJVWK#"
CODEC = Codec(CheckKind.SUM, 7)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"virtual:?wifi=home:{KEY}&cpu=0", "virtual:?wifi=home:********&cpu=0"),
        (f"virtual:?cpu=0&wifi=home:{KEY}", "virtual:?cpu=0&wifi=home:********"),
        ("virtual:?wifi=home%20net:QXZ%20JVW", "virtual:?wifi=home%20net:*********"),
        (f"rfc2217://me:{KEY}@host:4000", "rfc2217://me:********@host:4000"),
        ("rfc2217://host:4000", "rfc2217://host:4000"),
        ("rfc2217://[half", "rfc2217://[half"),
        ("virtual:?wifi=up", "virtual:?wifi=up"),
        ("/dev/ttyUSB0", "/dev/ttyUSB0"),
    ],
)
def test_the_port_s_url_without_passwords(url: str, shown: str) -> None:
    assert public_url(url) == shown


def test_a_password_in_the_url_is_nowhere(tmp_path: Path) -> None:
    url = f"virtual:?wifi=home:{KEY}"
    recorder = Recorder(tmp_path / "a", url)
    recorder.received(b"the key is " + KEY.encode() + b"\r\n")
    recorder.fault(f"{url} is no port")
    recorder.note("state", why=f"pwd='another one' and {KEY}")
    recorder.close()
    recorder.close()
    recorder.sent(b"too late")
    recorder.note("too late")
    assert_no_leak(tmp_path / "a", KEY.encode(), b"another one")
    trace = read(tmp_path / "a")
    assert [record.mark for record in trace.records] == ["<", "!", "="]
    assert trace.header["port"] == "virtual:?wifi=home:********"


def reply(seq: int) -> bytes:
    return CODEC.encode(Frame(Kind.LAST, seq, 0, payload=encode(Reply(1, (b"x" * 20,)))), to_host=True)


def test_what_is_held_back_is_written_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a"

    async def main() -> None:
        recorder = Recorder(path, "p", asyncio.get_running_loop())
        recorder.begin(CODEC, CODEC, baud=115200, damage=0.0)
        recorder.begin(CODEC, CODEC, baud=115200, damage=0.0)
        recorder.received(reply(0) + b"\r\n> ")
        assert read(path).records[-1].text == "session"
        await asyncio.sleep(FRAME_SECONDS + 0.01)
        assert read(path).records[-1].data == reply(0) + b"\r\n> "
        damaged = reply(1).replace(b"xxx", b"\xfe")
        recorder.received(damaged)
        await asyncio.sleep(DOUBT_SECONDS + 0.01)
        assert read(path).records[-1].elided == len(damaged) - 2
        recorder.close()

    clock.run(main())
    assert [record.text for record in read(path).records if record.mark == "="] == ["session"]


def test_whoever_forgets_to_close_it_gets_the_rest(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a", "p")
    recorder.begin(CODEC, CODEC, baud=115200, damage=0.0)
    recorder.received(b"\0half a frame, pwd='" + KEY.encode())
    assert len(read(tmp_path / "a").records) == 1
    del recorder
    gc.collect()
    assert read(tmp_path / "a").records[-1].data.startswith(b"\0half a frame, pwd='***")


def test_a_disk_that_is_full_ends_the_trace_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    recorder = Recorder(tmp_path / "a", "p")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        for _ in range(200):
            recorder.received(b"x" * 100 + b"\r\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
        recorder.close()
    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "ends here" in record.message and "File too large" in record.message
    trace = read(tmp_path / "a")
    assert 20 < len(trace.records) < 60


PROGRAM = """
import sys
from bridge.trace import Recorder
recorder = Recorder(sys.argv[1], "p")
n = 0
while True:
    recorder.received(b"line %d\\r\\n" % n)
    n += 1
    if n == 100:
        print("going", flush=True)
"""


def test_a_process_that_is_killed_leaves_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "a"
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"going\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    process.stdout.close()
    trace = read(path)
    assert len(trace.records) >= 100
    assert [record.data for record in trace.records] == [b"line %d\r\n" % n for n in range(len(trace.records))]
