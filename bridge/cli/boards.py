"""`nodemcu-bridge boards`."""

from __future__ import annotations

import dataclasses

import click
from pydantic import RootModel

from bridge.cli.json_output import Output, json_output, print_json
from bridge.ports.base import PortInfo
from bridge.ports.discover import list_boards
from bridge.profile import matching_profile


class FoundPort(Output):
    """A port that a board may be on."""

    url: str
    description: str
    usb_vendor: int | None
    usb_product: int | None
    serial_number: str | None
    usb_path: str | None
    profile: str | None


class BoardsOutput(RootModel[list[FoundPort]]):
    """The ports that were found."""


@click.command()
@json_output(BoardsOutput)
def boards(as_json: bool) -> None:
    """List the USB serial ports that a board may be on. None is opened: opening may reset a board."""
    found = [(info, matching_profile(info.usb_vendor, info.usb_product)) for info in list_boards()]
    if as_json:
        rows = [
            FoundPort(**dataclasses.asdict(info), profile=profile.name if profile is not None else None)
            for info, profile in found
        ]
        print_json(BoardsOutput(rows))
        return
    if not found:
        click.echo("No USB serial port was found. Plug a board in, or use --port virtual: in the other commands.")
    for info, profile in found:
        click.echo(
            "  ".join(part for part in (info.url, _ids(info), info.description, profile and profile.name) if part)
        )


def _ids(info: PortInfo) -> str:
    return f"{info.usb_vendor or 0:04x}:{info.usb_product or 0:04x}"
