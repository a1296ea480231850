"""`nodemcu-bridge firmware …`."""

from __future__ import annotations

from pathlib import Path

import click
from pydantic import RootModel

from bridge.cli.info import InfoOutput, say_doubt
from bridge.cli.json_output import Output, json_output, print_json
from bridge.cli.options import baud_option, port_option, profile_option
from bridge.errors import ImageError
from bridge.firmware.catalog import Catalog, CatalogEntry, load_images
from bridge.firmware.fit import FirmwareFit, fit_of
from bridge.firmware.how import chosen_modules, find_recipe, instructions
from bridge.firmware.needs import ModuleNeed, Options, Recipe, read_needs
from bridge.firmware.record import ImageRecord, image_record
from bridge.inspect import Fact, inspect_board
from bridge.ports.open import open_port, run_for
from bridge.profile import Profile

_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...")


class CatalogOutput(Output):
    """What the bridge needs, the builds that it is tried with, and the images there are."""

    modules: list[ModuleNeed]
    options: Options
    recipes: list[Recipe]
    images: list[CatalogEntry]


class ImagesOutput(RootModel[list[CatalogEntry]]):
    """The images of the catalog."""


class HowOutput(Output):
    """What to choose at a build service; `instructions` says it in words, line by line."""

    recipe: Recipe
    tls: bool
    modules: list[str]
    instructions: list[str]


class InspectOutput(Output):
    """An image, or what is wrong with it. `image` is null where it could not be taken apart."""

    image: ImageRecord | None
    defect: str | None


class AddOutput(Output):
    """An image of the catalog, and whether it was not there before."""

    new: bool
    entry: CatalogEntry


class RemoveOutput(Output):
    """The image that was taken out."""

    removed: CatalogEntry


class CheckOutput(Output):
    """What runs on a board, and how it suits."""

    firmware: InfoOutput
    fit: FirmwareFit


@click.group()
def firmware() -> None:
    """Images of NodeMCU: what the bridge needs of one, how to get one, what is in one, and copies that are kept."""


@firmware.command()
@json_output(CatalogOutput)
def catalog(as_json: bool) -> None:
    """Say what the bridge needs of a firmware, which builds it is tried with, and which images were added."""
    needs = read_needs()
    entries = _entries()
    if as_json:
        output = CatalogOutput(modules=needs.modules, options=needs.options, recipes=needs.recipes, images=entries)
        print_json(output)
        return
    click.echo("Modules that a firmware must have:")
    for need in needs.modules:
        click.echo(f"  {need.name:6}{'needed' if need.needed else '':8}{need.gives}; without it: {need.without}")
    click.echo("Builds that the bridge is tried with (`firmware how` says how to get one):")
    for recipe in needs.recipes:
        click.echo(f"  {recipe.name:15}{recipe.branch} branch, Lua {recipe.lua}, {recipe.number}: {recipe.says}")
    click.echo("Images of this installation:")
    _show_entries(entries)


@firmware.command("list")
@json_output(ImagesOutput)
def list_images(as_json: bool) -> None:
    """List the images that were added."""
    entries = _entries()
    if as_json:
        print_json(ImagesOutput(entries))
    else:
        _show_entries(entries)


@firmware.command()
@click.option("--lua", type=click.Choice(["5.1", "5.3"]), default="5.1", show_default=True, help="Version of Lua.")
@click.option("--number", type=click.Choice(["float", "integer"]), default="float", show_default=True,
              help="Type of its numbers.")  # fmt: skip
@click.option("--tls/--no-tls", default=True, show_default=True, help="Whether the board is to speak TLS itself.")
@click.option("--module", "extra", multiple=True, metavar="NAME", help="A further module, as often as you like.")
@json_output(HowOutput)
def how(lua: str, number: str, tls: bool, extra: tuple[str, ...], as_json: bool) -> None:
    """Say how to get an image from NodeMCU's own build services: the modules and options to choose."""
    needs = read_needs()
    wanted = tuple(name.strip().lower() for names in extra for name in names.split(",") if name.strip())
    recipe, modules = find_recipe(needs, lua, number), chosen_modules(needs, tls=tls, extra=wanted)
    text = instructions(needs, recipe, modules)
    if as_json:
        lines = text.splitlines()
        print_json(HowOutput(recipe=recipe, tls="tls" in modules, modules=list(modules), instructions=lines))
        return
    click.echo(text)


@firmware.command()
@_FILES
@json_output(InspectOutput)
def inspect(files: tuple[str, ...], as_json: bool) -> int:
    """Take an image apart: one combined FILE, or 0x00000.bin and 0x10000.bin, or the name of one in the catalog.

    Says what is in it (header, segments, Lua, numbers, modules, TLS, date), or what is wrong with it. Exit code 2
    means that it is damaged, something else, or nothing that the bridge can work with.
    """
    record: ImageRecord | None = None
    defect: str | None = None
    try:
        record = image_record(load_images(files))
        defect = None if record.suits else record.notes[0]
    except ImageError as error:
        if not as_json:
            raise
        defect = str(error)
    if as_json:
        print_json(InspectOutput(image=record, defect=defect))
    elif record is not None:
        _show_record(record)
    return 0 if defect is None else ImageError.exit_code


@firmware.command()
@_FILES
@click.option("--name", help="What to call it. Default: made of version, Lua and type of numbers.")
@json_output(AddOutput)
def add(files: tuple[str, ...], name: str | None, as_json: bool) -> None:
    """Check an image and keep a copy of it in the catalog; `flash` takes its name then. One that is there stays."""
    entry, new = Catalog().add([Path(file) for file in files], name)
    if as_json:
        print_json(AddOutput(new=new, entry=entry))
        return
    click.echo(f"{'Added' if new else 'It is there already:'} {entry.name}, in {entry.folder}")
    click.echo(f"SHA-256 {entry.image.id}")


@firmware.command()
@click.argument("name")
@json_output(RemoveOutput)
def remove(name: str, as_json: bool) -> None:
    """Take an image out of the catalog, by its name or the first digits of its SHA-256."""
    entry = Catalog().remove(name)
    if as_json:
        print_json(RemoveOutput(removed=entry))
        return
    click.echo(f"Removed {entry.name}; the file that it was added from is as it was.")


@firmware.command()
@port_option
@profile_option
@baud_option
@json_output(CheckOutput)
def check(url: str, profile: Profile | None, baud: int, as_json: bool) -> int:
    """Ask a board which firmware it runs, and say what of it the bridge lacks. The board is not reset.

    Exit code 1 means that the firmware does not suit. With --profile it is said where the board is not of that kind.
    """
    facts = run_for(url, _ask(url, baud))
    say_doubt(profile, facts)
    fit = fit_of(facts, read_needs())
    shown = InfoOutput.model_validate({"port": url, **facts})
    if as_json:
        print_json(CheckOutput(firmware=shown, fit=fit))
    else:
        numbers = f", {shown.number} numbers" if shown.number else ""
        click.echo(f"NodeMCU {shown.version or 'of an unknown version'}, {shown.lua or 'Lua'}{numbers} on {url}")
        if shown.modules is not None:
            click.echo(f"modules  {','.join(shown.modules)}")
        for missing in fit.lacks:
            click.echo(f"{'NEEDED' if missing.needed else 'lacks':9}{missing.name}: {missing.without}")
        for note in fit.notes:
            click.echo(f"note     {note}")
        verdict = "suits the bridge" if fit.suits else "does not suit the bridge: see `nodemcu-bridge firmware how`"
        click.echo(f"It {verdict}{'' if fit.certain else ', as far as it says'}.")
    return 0 if fit.suits else 1


async def _ask(url: str, baud: int) -> dict[str, Fact]:
    port = await open_port(url, baud=baud)
    try:
        return await inspect_board(port)
    finally:
        await port.close()


def _entries() -> list[CatalogEntry]:
    entries, mistakes = Catalog().entries()
    for mistake in mistakes:
        click.echo(f"nodemcu-bridge: {mistake}", err=True)
    return entries


def _show_entries(entries: list[CatalogEntry]) -> None:
    if not entries:
        click.echo("  none; add one with `nodemcu-bridge firmware add FILE`")
    for entry in entries:
        build = entry.image.build
        click.echo(
            f"  {entry.name}  {entry.image.id[:16]}  {entry.image.size} bytes  Lua {build.lua} {build.number}  "
            f"{','.join(build.modules)}{'  for virtual boards only' if build.stand_in else ''}"
        )


def _show_record(record: ImageRecord) -> None:
    boot, build = record.boot, record.build
    rows = [(file.name, f"{file.size} bytes for {file.offset:#x}, SHA-256 {file.sha256}") for file in record.files]
    rows += [
        ("chip", "ESP8266"),
        ("flash", f"{boot.flash_mode}, {boot.flash_frequency}, {boot.flash_size >> 10} KB by its header"),
        ("start", f"{boot.entry:#010x}, checksum {boot.checksum:#04x}"),
    ]
    rows += [("segment", f"{one.length} bytes at {one.address:#010x} ({one.memory})") for one in boot.segments]
    texts = {
        "version": build.version, "release": build.release, "branch": build.branch, "commit": build.commit,
        "built": build.build_date, "SDK": build.sdk, "Lua": build.lua, "numbers": build.number,
        "modules": ",".join(build.modules) or "none", "TLS": "on" if build.ssl else "off",
        "LFS": None if build.lfs_size is None else f"{build.lfs_size} bytes",
    }  # fmt: skip
    rows += [(name, text) for name, text in texts.items() if text]
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        click.echo(f"{name:{width}}  {text}")
    for need in (need for need in read_needs().modules if need.name in record.lacks):
        click.echo(f"{'NEEDED' if need.needed else 'lacks':{width}}  {need.name}: {need.without}")
    for note in record.notes:
        click.echo(f"{'note':{width}}  {note}")
