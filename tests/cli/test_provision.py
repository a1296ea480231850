from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.invoke import invoke
from tests.homeless import be_homeless


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def shelf(folder: Path, extra: str = "") -> str:
    """A file for one virtual board that is kept in a file, without a firmware."""
    url = f"virtual:?baud_pacing=0&cpu=0&flash=0&mac=5c:cf:7f:00:00:01&flash_file={folder / 'flash'}"
    (folder / "hello.lua").write_text("print('hello')")
    path = folder / "shelf.yaml"
    path.write_text(f'files: {{hello.lua: hello.lua}}\n{extra}boards:\n  - {{name: one, port: "{url}"}}\n')
    return str(path)


def test_a_board_without_an_image_gets_its_files(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file, report = shelf(tmp_path), tmp_path / "report.json"
    code, out, err = invoke(capfd, "provision", file, "--report", str(report))
    assert code == 0, err
    first, last = out.splitlines()
    assert first.startswith("one: ready (5c:cf:7f:00:00:01, virtual:") and first.endswith("wrote files")
    assert last.startswith("1 of 1 boards are ready, after ")
    assert "one: file hello.lua" in err.splitlines()
    assert json.loads(report.read_text())["boards"][0]["changed"] == ["files"]
    assert report.stat().st_mode & 0o777 == 0o600
    code, out, _ = invoke(capfd, "provision", file)
    assert code == 0 and out.splitlines()[0].endswith("nothing to do")


def test_files_of_names_that_are_not_ascii_are_there_the_second_time(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    names = [f"a-rather-long-name-of-29-b{number:03d}" for number in range(95)] + ["größe.txt"]
    file = shelf(tmp_path, "folder: site\n")
    (tmp_path / "site").mkdir()
    for name in names:
        (tmp_path / "site" / name).write_text("x")
    code, out, err = invoke(capfd, "provision", file)
    assert code == 0, out + err
    code, out, _ = invoke(capfd, "provision", file)
    assert code == 0 and out.splitlines()[0].endswith("nothing to do")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--report", "/nosuchfolder/x"), "/nosuchfolder/x cannot be written"),
        (("--only", "two"), "has no board two"),
    ],
)
def test_wrong_use(capfd: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    code, out, err = invoke(capfd, "provision", shelf(tmp_path), *arguments)
    assert (code, out) == (2, "") and words in err


def test_a_mistake_in_the_file(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = invoke(capfd, "provision", shelf(tmp_path, "imgae: x\n"))
    assert (code, out) == (2, "") and "shelf.yaml, line 2: imgae is not a key of a provisioning file" in err


@pytest.mark.parametrize("key", ["port", "profile", "image", "usb_path"])
def test_a_nul_in_the_file(capfd: pytest.CaptureFixture[str], tmp_path: Path, key: str) -> None:
    path = tmp_path / "shelf.yaml"
    where = "mac: '5c:cf:7f:00:00:01'" if key in ("port", "usb_path") else "port: x"
    path.write_text(f'boards:\n  - name: one\n    {where}\n    {key}: "./a\\0b.yaml"\n')
    code, out, err = invoke(capfd, "provision", str(path))
    assert (code, out) == (2, "") and "shelf.yaml, line 4: a text with a NUL" in err


def test_words_of_boards_and_files_are_no_markup(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # bars, as on a terminal
    monkeypatch.setenv("COLUMNS", "120")
    path = tmp_path / "shelf.yaml"
    path.write_text('boards:\n  - {name: one, port: "/dev/[/home]"}\n')
    code, out, err = invoke(capfd, "provision", str(path))
    assert code == 1 and "There is no port /dev/[/home]" in out
    assert "failed: There is no port /dev/[/home]" in err


@pytest.mark.parametrize("before", [None, "an earlier one"])
def test_a_run_that_is_interrupted_leaves_no_half_report(tmp_path: Path, before: str | None) -> None:
    report = tmp_path / "report.json"
    if before is not None:
        report.write_text(before)
    command = [sys.executable, "-m", "bridge.cli", "provision", shelf(tmp_path), "--report", str(report)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None and process.stderr.readline() == b"one: looking\n"
        process.send_signal(signal.SIGINT)
        process.stderr.read()
    assert process.returncode == 130
    assert (report.read_text() if report.exists() else None) == before
    assert not list(tmp_path.glob(".*"))


def test_a_report_may_go_to_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bridge.cli", "provision", shelf(tmp_path), "--report", "/dev/stderr"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and json.loads(done.stderr[done.stderr.index("{") :])["ready"]


def test_a_board_that_fails(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "shelf.yaml"
    path.write_text('boards:\n  - {name: one, port: "rfc2217://127.0.0.1:9"}\n')
    code, out, _ = invoke(capfd, "provision", str(path))
    assert code == 1 and "one: NOT ready: " in out and "0 of 1 boards are ready" in out


def test_without_a_home_folder_one_sentence_says_what_to_set(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_homeless(monkeypatch)
    code, out, err = invoke(capfd, "provision", shelf(tmp_path))
    assert (code, out) == (2, "") and "has no home folder" in err and "XDG_STATE_HOME" in err and err.count("\n") == 1
