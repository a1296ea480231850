"""`nodemcu-bridge virtual`: a virtual board for other programs."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bridge.errors import UsageError
from bridge.virtual.options import VirtualOptions, convert, option_type

#: Options that make no sense on a board of its own process.
_NOT_HERE = {"clock", "network"}


def _board_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command one flag for each field of `VirtualOptions`."""
    for field in reversed(dataclasses.fields(VirtualOptions)):
        if field.name in _NOT_HERE:
            continue
        flag = "--" + field.name.replace("_", "-")
        help = field.metadata["help"]
        if option_type(field.name) is bool:
            decorate = click.option(f"{flag}/--no-{flag[2:]}", field.name, default=field.default, help=help)
        else:
            if field.default is not None:
                help = f"{help[:-1]} [{field.default}]."
            # A network's password is part of its value, and command lines can be read by everybody.
            variable = "NODEMCU_BRIDGE_VIRTUAL_WIFI" if field.name == "wifi" else None
            decorate = click.option(flag, field.name, metavar="VALUE", default=None, envvar=variable, help=help)
        command = decorate(command)
    return command


@click.command()
@click.option("--pty", "pty", metavar="PATH", is_flag=False, flag_value="auto", default=None,
              help="Serve the board on a pseudo-terminal, with a link to it at PATH; `auto` for no link.")  # fmt: skip
@click.option("--rfc2217", "rfc2217", metavar="HOST:PORT", default=None,
              help="Serve the board by RFC 2217 on this address; port 0 takes a free one.")  # fmt: skip
@click.option("--shelf", type=click.IntRange(1, 64), default=None, metavar="N",
              help="Serve N boards, each on its own port: that of --rfc2217, and those after it.")  # fmt: skip
@_board_options
def virtual(pty: str | None, rfc2217: str | None, shelf: int | None, **values: object) -> None:
    """Run a virtual board for other programs until it is interrupted.

    Prints `PTY <path>` and `RFC2217 <url>` when the board answers. Without --pty and --rfc2217 it serves a
    pseudo-terminal. SIGUSR1 presses the reset button; SIGUSR2 unplugs the board for a second.
    """
    given = {
        name: convert(name, value) if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }
    options = VirtualOptions(**given)  # type: ignore[arg-type]
    if options.address is not None and not options.address.startswith("127."):
        raise UsageError(
            f"--address {options.address} is not a loopback address", remedy="A virtual board lives on 127.x.y.z."
        )
    if shelf is not None:
        from bridge.virtual.shelf import serve_shelf

        if pty is not None or rfc2217 is None:
            raise UsageError("A shelf is served by RFC 2217 alone", remedy="Give --rfc2217 HOST:PORT, without --pty.")
        host, first = _host_and_port(rfc2217)
        asyncio.run(serve_shelf(options, shelf, host, first, lambda line: print(line, flush=True)))  # noqa: T201
        return
    from bridge.virtual.serve import Doors, serve

    doors = Doors(
        pty=pty is not None or rfc2217 is None,
        pty_link=None if pty in (None, "auto") else Path(str(pty)),
        rfc2217=None if rfc2217 is None else _host_and_port(rfc2217),
    )
    # Both lines are for programs that wait for them, so they must not stay in a buffer.
    asyncio.run(serve(options, doors, lambda line: print(line, flush=True)))  # noqa: T201


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, tcp_port = text.rpartition(":")
    if not (tcp_port.isascii() and tcp_port.isdigit() and int(tcp_port) < 65536):
        raise UsageError(f"--rfc2217 {text} has no TCP port", remedy="Write HOST:PORT, such as 127.0.0.1:2217.")
    host = host.strip("[]") or "127.0.0.1"
    return host, int(tcp_port)
