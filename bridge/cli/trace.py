"""`nodemcu-bridge trace`: what a trace holds, and what the parser makes of it."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.json_output import json_output, print_json
from bridge.cli.trace_output import ReplayedSession, TraceReplayOutput, TraceShowOutput, shown_line
from bridge.trace import Replay, read, replay
from bridge.trace.replayed import Event
from bridge.trace.show import described, lines, objects, quoted
from bridge.wire.events import ConsoleText, Failed, MessageReceived


@click.group()
def trace() -> None:
    """Look into a FILE that --trace has written. There are no keys and passwords in it."""


@trace.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_output(TraceShowOutput, lines=True)
def show(file: Path, as_json: bool) -> None:
    """Print what went over the line: `>` sent, `<` received, `=` note, `!` fault, with seconds since the start."""
    if as_json:
        for found in objects(read(file)):
            print_json(shown_line(found), line=True)
        return
    for line in lines(read(file)):
        click.echo(line)


@trace.command("replay")
@click.argument("file", type=click.Path(path_type=Path))
@json_output(TraceReplayOutput)
def play(file: Path, as_json: bool) -> None:
    """Feed the bytes of a trace to the parser again and print what it makes of them, then what it counted."""
    played = replay(file)
    if as_json:
        print_json(_object(played))
        return
    for session in played.sessions:
        click.echo(f"= session {session.epoch:04x}, check {session.check}")
        for event in session.events:
            if line := _line(event):
                click.echo(f"{event.t:10.6f} {line}")
    if not played.sessions:
        click.echo("= there is no session in this trace: nothing to feed to a parser")
    click.echo(
        f"= {len(played.messages)} messages of the board, {len(played.sent)} of the host, "
        f"{len(played.console)} bytes of text, {played.damaged} damaged segments"
    )


def _line(event: Event) -> str:
    mark = "<" if event.to_host else ">"
    match event.what:
        case MessageReceived(message):
            return f"{mark} {described(message)}"
        case ConsoleText(data):
            return f"{mark} {quoted(data)}"
        case Failed(error):
            return f"! {error}"
    return ""


def _object(played: Replay) -> TraceReplayOutput:
    return TraceReplayOutput(
        damaged=played.damaged,
        console=played.console.decode("latin-1"),
        sessions=[
            ReplayedSession(
                epoch=session.epoch,
                check=session.check,
                damaged=session.damaged,
                messages=[described(message) for message in session.messages],
                sent=[described(message) for message in session.sent],
                console=session.console.decode("latin-1"),
                failure=None if session.failure is None else str(session.failure),
            )
            for session in played.sessions
        ],
    )
