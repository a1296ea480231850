"""The flags of `nodemcu-bridge virtual`; what it runs is tested in tests/virtual/test_serve.py."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bridge.cli import virtual as command
from bridge.errors import UsageError
from bridge.virtual import serve
from bridge.virtual.options import VirtualOptions


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[VirtualOptions, serve.Doors]]:
    """What the command would have served."""
    calls: list[tuple[VirtualOptions, serve.Doors]] = []

    async def note(options: VirtualOptions, doors: serve.Doors, announce: object) -> None:
        calls.append((options, doors))

    monkeypatch.setattr(serve, "serve", note)
    return calls


def run(*arguments: str) -> None:
    command.virtual.main(list(arguments), standalone_mode=False)


def test_every_option_of_a_board_has_its_flag() -> None:
    flags = {flag for parameter in command.virtual.params for flag in parameter.opts}
    for field in dataclasses.fields(VirtualOptions):
        if field.name not in ("clock", "network"):
            assert "--" + field.name.replace("_", "-") in flags
    shown = CliRunner().invoke(command.virtual, ["--help"]).output
    assert "--baud-pacing / --no-baud-pacing" in shown and "Latency timer of the USB adapter" in shown


def test_flags_are_read_as_a_url_is(served: list[tuple[VirtualOptions, serve.Doors]], tmp_path: Path) -> None:
    run("--pty", str(tmp_path / "x"), "--lua", "5.3", "--no-baud-pacing", "--cpu", "0", "--drop", "0.01", "--blank")
    assert served == [
        (
            VirtualOptions(lua="5.3", baud_pacing=False, cpu=0.0, drop=0.01, blank=True),
            serve.Doors(pty=True, pty_link=tmp_path / "x"),
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "doors"),
    [
        ([], serve.Doors(pty=True)),
        (["--pty"], serve.Doors(pty=True)),
        (["--pty", "auto"], serve.Doors(pty=True)),
        (["--rfc2217", "127.0.0.1:2217"], serve.Doors(pty=False, rfc2217=("127.0.0.1", 2217))),
        (["--rfc2217", ":0", "--pty"], serve.Doors(pty=True, rfc2217=("127.0.0.1", 0))),
    ],
)
def test_without_a_door_it_is_a_pseudo_terminal(
    served: list[tuple[VirtualOptions, serve.Doors]], arguments: list[str], doors: serve.Doors
) -> None:
    run(*arguments)
    assert served == [(VirtualOptions(), doors)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--address", "8.8.8.8"], "loopback"),
        (["--rfc2217", "localhost"], "HOST:PORT"),
        (["--rfc2217", "localhost:99999"], "HOST:PORT"),
        (["--seed", "x"], "whole number"),
    ],
)
def test_what_cannot_be_is_refused(
    served: list[tuple[VirtualOptions, serve.Doors]], arguments: list[str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        run(*arguments)
    with pytest.raises(click.UsageError):
        run("--clock", "virtual")
    assert served == []
