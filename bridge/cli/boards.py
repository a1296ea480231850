"""`nodemcu-bridge boards`."""

from __future__ import annotations

import dataclasses

import click
from pydantic import RootModel

from bridge import ending
from bridge.cli.info import InfoOutput
from bridge.cli.json_output import Output, json_output, print_json
from bridge.cli.options import SECONDS, baud_option
from bridge.identify import TIMEOUT, Identity, identify_all
from bridge.ports.base import PortInfo
from bridge.ports.discover import list_boards
from bridge.ports.open import run_for
from bridge.profile import Profile, all_profiles, matching_profiles


class ProbedBoard(Output):
    """What answered on a port that was opened."""

    known: bool
    chip: str | None
    mac: str | None
    flash_kb: int | None
    firmware: InfoOutput | None
    trouble: str | None
    notes: list[str]


class FoundPort(Output):
    """A port that a board may be on. `profile` is set where exactly one fits, `probe` where it was opened."""

    url: str
    description: str
    usb_vendor: int | None
    usb_product: int | None
    serial_number: str | None
    usb_path: str | None
    profile: str | None
    profiles: list[str]
    probe: ProbedBoard | None


class BoardsOutput(RootModel[list[FoundPort]]):
    """The ports that were found."""


@click.command()
@click.option("--probe", is_flag=True, help="Open every port and ask what is on it. Opening resets many boards.")
@click.option("--rom", is_flag=True, help="With --probe: where no NodeMCU answers, restart the board into its ROM "
              "loader and ask that for chip, MAC and flash.")  # fmt: skip
@click.option("--port", "urls", metavar="URL", multiple=True, help="These ports, in place of those that are found.")
@click.option("--timeout", type=SECONDS, default=TIMEOUT, show_default=True, help="Seconds for a board's answer.")
@baud_option
@json_output(BoardsOutput)
def boards(probe: bool, rom: bool, urls: tuple[str, ...], timeout: float, baud: int, as_json: bool) -> int:
    """List the USB serial ports that a board may be on, and the profiles that fit.

    None is opened, because opening resets many boards; --probe opens them all at the same time and says which chip,
    flash and firmware is on each. Exit code 1 means that a port that was opened holds no NodeMCU that answers.
    """
    if rom and not probe:
        raise click.UsageError("--rom goes with --probe.")
    profiles, mistakes = all_profiles()
    for mistake in mistakes:
        click.echo(f"nodemcu-bridge: {mistake}", err=True)
    found = _chosen(urls)
    probed: list[Identity | None] = [None] * len(found)
    if probe and found:
        work = identify_all([info.url for info in found], baud=baud, timeout=timeout, rom=rom)
        probed = [*(run_for(found[0].url, work) if len(found) == 1 else ending.run(work))]
    rows = [_row(info, matching_profiles(info, profiles), one) for info, one in zip(found, probed, strict=True)]
    if as_json:
        print_json(BoardsOutput(rows))
    elif not rows:
        click.echo("No USB serial port was found. Plug a board in, or use --port virtual: in the other commands.")
    else:
        for row in rows:
            click.echo(_line(row))
            if row.probe is not None:
                for text in (_answer(row.url, row.probe), *row.probe.notes):
                    click.echo(f"    {text}")
    return 1 if any(one is not None and not one.known for one in probed) else 0


def _chosen(urls: tuple[str, ...]) -> list[PortInfo]:
    known = {info.url: info for info in list_boards()}
    return [known.get(url, PortInfo(url)) for url in dict.fromkeys(urls)] if urls else [*known.values()]


def _row(info: PortInfo, fitting: list[Profile], one: Identity | None) -> FoundPort:
    return FoundPort(
        **dataclasses.asdict(info),
        profile=fitting[0].name if len(fitting) == 1 else None,
        profiles=[profile.name for profile in fitting],
        probe=None if one is None else _probed(info, one, fitting),
    )


def _probed(info: PortInfo, one: Identity, fitting: list[Profile]) -> ProbedBoard:
    return ProbedBoard(
        known=one.known,
        chip=one.chip,
        mac=one.mac,
        flash_kb=one.flash_kb,
        firmware=None if one.facts is None else InfoOutput.model_validate({"port": info.url, **one.facts}),
        trouble=None if one.trouble is None else str(one.trouble),
        notes=_notes(one, fitting),
    )


def _notes(one: Identity, fitting: list[Profile]) -> list[str]:
    """Where the adapter's profile is not what the chip is."""
    if one.flash_kb is None:
        return []
    return [doubt for profile in fitting if (doubt := profile.doubt(one.flash_kb << 10)) is not None]


def _line(row: FoundPort) -> str:
    ids = f"{row.usb_vendor:04x}:{row.usb_product or 0:04x}" if row.usb_vendor is not None else ""
    serial = f"serial number {row.serial_number}" if row.serial_number else ""
    path = f"USB path {row.usb_path}" if row.usb_path else ""
    return "  ".join(part for part in (row.url, ids, row.description, serial, path, " or ".join(row.profiles)) if part)


def _answer(url: str, one: ProbedBoard) -> str:
    hardware = [
        one.chip,
        f"MAC {one.mac}" if one.mac else None,
        f"{one.flash_kb} KB of flash" if one.flash_kb else None,
    ]
    told = ", ".join(part for part in hardware if part)
    if one.firmware is None:
        trouble = one.trouble.removeprefix(f"{url}: ") if one.trouble is not None else None
        return "; ".join(part for part in (told, trouble) if part)
    known = one.firmware
    firmware = [f"NodeMCU {known.version or 'of an unknown version'}", known.lua, known.number]
    modules = f"modules {','.join(known.modules)}" if known.modules is not None else None
    return "; ".join(part for part in (told, ", ".join(part for part in firmware if part), modules) if part)
