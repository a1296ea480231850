"""`nodemcu-bridge rack …`."""

from __future__ import annotations

import click

from bridge.cli.rack_demo import demo
from bridge.cli.rack_watch import watch


@click.group()
def rack() -> None:
    """Boards of a rack: who holds which, and what they do."""


rack.add_command(demo)
rack.add_command(watch)
