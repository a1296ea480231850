"""Every command with --json, on a virtual board: what it prints is as its schema in schemas/ says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from bridge.cli.json_output import (
    JsonOutput,
    Output,
    all_commands,
    declared_output,
    json_output,
    json_text,
    schema_of,
)
from tests.cli.invoke import BOARD, invoke
from tests.cli.test_provision import shelf
from tests.images import image
from tests.ports.test_discover import Listed, plug

SCHEMAS = Path(__file__).parent.parent.parent / "schemas"


def traced(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    path = folder / "trace"
    invoke(capfd, "exec", "print('x') return 1", "--port", BOARD, "--trace", str(path))
    return str(path)


def program(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    (folder / "program.lua").write_text("return 1, {a=1/0}, nil")
    return str(folder / "program.lua")


def stand_in(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    (folder / "firmware.bin").write_bytes(image())
    return str(folder / "firmware.bin")


def added(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    assert invoke(capfd, "firmware", "add", stand_in(folder, capfd))[0] == 0
    return "--json"  # which may be given twice


def kept(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    assert invoke(capfd, "firmware", "add", stand_in(folder, capfd), "--name", "mine")[0] == 0
    return "mine"


def saved(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    (folder / "backup.bin").write_bytes(b"\xff" * (1 << 20))
    return str(folder / "backup.bin")


def files(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """A board that has the file "x" and keeps its flash."""
    url = f"{BOARD}&flash=0&cpu=0&flash_size={1 << 20}&flash_file={folder / 'flash.bin'}"
    (folder / "x").write_text("content")
    assert invoke(capfd, "fs", "put", str(folder / "x"), "--port", url)[0] == 0
    return url


def site(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("words")
    return str(folder / "site")


def racked(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    (folder / "rack.yaml").write_text(
        "version: 1\nstate: state\nplaces:\n  - {name: one, port: 'virtual:', tags: [x]}\n"
    )
    return str(folder / "rack.yaml")


Made = Callable[[Path, pytest.CaptureFixture[str]], str]
#: Command → how it is called, without --json. A function makes a file and returns its name. Every command with --json
#: needs one here.
CALLS: dict[str, list[str | Made]] = {
    "bench": ["--quick", "--no-host", "--rows", "921600/1"],
    "boards": [],
    "calibrate": ["--build", "5.1 float"],
    "doctor": ["--port", BOARD],
    "exec": ["return 'a\\255', 1, true, nil, {1}, function() end", "--port", BOARD],
    "firmware add": [stand_in],
    "firmware catalog": [added],
    "firmware check": ["--port", BOARD],
    "firmware how": ["--no-tls", "--module", "mqtt"],
    "firmware inspect": [stand_in],
    "firmware list": [added],
    "firmware remove": [kept],
    "flash": [stand_in, "--port", "virtual:?baud_pacing=0&flash=0&cpu=0", "--no-wait"],
    "forward": ["-L", "0:a.test:80", "-R", "udp:0:[::1]:53", "--for", "0.1", "--port", "virtual:?baud_pacing=0&cpu=0"],
    "fs cat": ["x", "--port", files],
    "fs df": ["--port", BOARD],
    "fs format": ["--yes", "--port", BOARD],
    "fs get": ["x", "--to", lambda folder, capfd: str(folder / "fetched"), "--port", files],
    "fs ls": ["--port", files],
    "fs mv": ["x", "y", "--port", files],
    "fs put": [program, "--port", BOARD],
    "fs rm": ["x", "--port", files],
    "fs sync": [site, "--port", BOARD],
    "info": ["--port", BOARD],
    "provision": [lambda folder, capfd: shelf(folder)],
    "proxy": ["--listen", "127.0.0.1:0", "--for", "0.1", "--port", "virtual:?baud_pacing=0&cpu=0"],
    "rack check": [racked],
    "rack heal": ["one", "--rack", racked],
    "rack status": ["--rack", racked],
    "restore": [saved, "--port", "virtual:?baud_pacing=0&flash=0&flash_size=1048576"],
    "run": [program, "--port", BOARD],
    "trace replay": [traced],
    "trace show": [traced],
    "virtual-image": [lambda folder, capfd: str(folder / "made.bin")],
}
#: The only commands without --json, and why.
WITHOUT: dict[str, str] = {
    "rack demo": "shows what it does; the report that it leaves is JSON, by a schema of its own",
    "rack watch": "follows a rack until it is ended; `rack status --json` says the same once",
    "rack claim": "runs another program, whose output it is",
    "repl": "a terminal: what is typed and what the board prints, as they come",
    "virtual": "runs until it is ended; its lines `PTY <path>` and `RFC2217 <url>` are for programs as they are",
}
DECLARED = {name: output for name, command in all_commands() if (output := declared_output(command)) is not None}


def test_every_command_that_prints_json_is_called_here() -> None:
    assert {*CALLS} == {*DECLARED}


def test_every_other_command_is_named_with_its_reason() -> None:
    assert {name for name, _ in all_commands()} - {*DECLARED} == {*WITHOUT}


def test_every_option_json_says_what_it_prints() -> None:
    silent = [
        name
        for name, command in all_commands()
        if any("--json" in parameter.opts for parameter in command.params) and declared_output(command) is None
    ]
    assert not silent, "use @json_output(Model) of bridge.cli.json_output"


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_what_is_printed_is_as_its_schema_says(
    name: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = json.loads((SCHEMAS / f"{name.replace(' ', '-')}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    plug(monkeypatch, Listed("/dev/a", 0x10C4, 0xEA60), Listed("/dev/b", 1, 1))
    monkeypatch.setenv("NODEMCU_BRIDGE_FIRMWARE", str(tmp_path / "images"))
    arguments = [each(tmp_path, capfd) if callable(each) else each for each in CALLS[name]]
    code, out, err = invoke(capfd, *name.split(), *arguments, "--json")
    assert code == 0, err
    values = [json.loads(line) for line in out.splitlines()] if DECLARED[name].lines else [json.loads(out)]
    assert values
    for value in values:
        jsonschema.Draft202012Validator(schema).validate(value)
        assert_open_nowhere(schema, value)


def assert_open_nowhere(schema: dict[str, Any], value: object) -> None:
    """A schema that says nothing would fit everything: a key more in an object of ours must not."""
    if isinstance(value, dict):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate({**value, "surplus": 1})


class _Pair(Output):
    left: int
    right: int | None = None


def test_every_field_of_an_object_is_demanded_and_no_other_allowed() -> None:
    schema = schema_of("two words", JsonOutput(_Pair, lines=True))
    assert schema["required"] == ["left", "right"] and schema["additionalProperties"] is False
    assert schema["title"] == "nodemcu-bridge two words --json, each line"


def test_a_command_without_the_option_has_declared_nothing() -> None:
    @click.command()
    def silent() -> None: ...

    @click.command()
    @json_output(_Pair)
    def telling(as_json: bool) -> None: ...

    assert declared_output(silent) is None and declared_output(telling) == JsonOutput(_Pair)


def test_bytes_of_a_name_that_are_no_text_are_written_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    class Found(Output):
        name: str
        others: list[str]

    found = Found(name="caf\udce9", others=["\udcff", "plain"])
    assert json.loads(json_text(found)) == {"name": "caf\\xe9", "others": ["\\xff", "plain"]}
    code, out, err = invoke(capfd, "virtual-image", f"{tmp_path}/caf\udce9.bin", "--json")
    assert code == 0 and json.loads(out)["file"] == f"{tmp_path}/caf\\xe9.bin", err
