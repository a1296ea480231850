"""`nodemcu-bridge virtual-image`."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.json_output import Output, json_output, print_json
from bridge.files import host
from bridge.virtual.options import DEFAULT_MODULES

_SIZES = {"512KB": 1 << 19, "1MB": 1 << 20, "2MB": 1 << 21, "4MB": 1 << 22, "8MB": 1 << 23, "16MB": 1 << 24}


class VirtualImageOutput(Output):
    """The image that was made; sizes in bytes."""

    file: str
    size: int
    flash_size: int
    lua: str
    number: str
    ssl: bool
    modules: list[str]


@click.command("virtual-image")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--modules", default=DEFAULT_MODULES, show_default=True, help="Modules, separated by commas.")
@click.option("--lua", type=click.Choice(["5.1", "5.3"]), default="5.1", show_default=True, help="Lua version.")
@click.option("--number", type=click.Choice(["float", "integer", "double"]), default="float", show_default=True,
              help="Number type.")  # fmt: skip
@click.option("--ssl/--no-ssl", default=False, help="Whether the banner says SSL: true.")
@click.option("--flash-size", type=click.Choice(list(_SIZES)), default="4MB", show_default=True,
              help="Goes into the header; a board whose header says less than 1MB does not boot.")  # fmt: skip
@click.option("--fresh", is_flag=True, help="As a compiler leaves it: the first boot writes the partition table for "
              "any flash size into it and starts again.")  # fmt: skip
@json_output(VirtualImageOutput)
def virtual_image(
    out: Path, modules: str, lua: str, number: str, ssl: bool, flash_size: str, fresh: bool, as_json: bool
) -> None:
    """Make a firmware image for virtual boards, to be flashed at offset 0, and write it to OUT.

    It stands in for a stock build, says so in its banner, and holds no machine code: a real board does nothing with
    it. It is made with esptool's own image tools.
    """
    from bridge.virtual.chip.make_image import Recipe, make

    names = tuple(sorted({name.strip() for name in modules.split(",") if name.strip()}))
    data = make(Recipe(names, lua, number, ssl, _SIZES[flash_size], fresh))
    host.write_file(out, data)
    if as_json:
        print_json(
            VirtualImageOutput(
                file=str(out), size=len(data), flash_size=_SIZES[flash_size], lua=lua, number=number, ssl=ssl,
                modules=list(names),
            )
        )  # fmt: skip
        return
    click.echo(f"{out}: {len(data)} bytes, Lua {lua}, modules {', '.join(names) or 'none'}; for virtual boards only")
