"""`nodemcu-bridge forward`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from bridge import ending
from bridge.cli.json_output import Output, json_output, print_json
from bridge.cli.options import SECONDS, baud_option, port_option, profile_option, trace_option
from bridge.cli.serving import board_for, for_option, queue_option, serve_for
from bridge.errors import UsageError
from bridge.forward import Forward, Forwards, Running, Side, local, open_forwards, remote
from bridge.forward.opening import UDP_IDLE
from bridge.forward.specification import listening, place
from bridge.opening import open_board
from bridge.profile import Profile
from bridge.proxy import Limits, Proxy


class RunningForward(Output):
    """A forward that stands."""

    listens: Literal["here", "board"]
    protocol: Literal["tcp", "udp"]
    address: str
    port: int
    host: str
    host_port: int


class RunningProxy(Output):
    """A proxy that stands."""

    address: str
    port: int


class ForwardOutput(Output):
    """Printed when all forwards stand."""

    port: str
    forwards: list[RunningForward]
    proxies: list[RunningProxy]


class _Read(click.ParamType):  # type: ignore[type-arg]
    """A forward, as it is written; see `bridge.forward.specification`."""

    name = "forward"

    def __init__(self, read: Callable[[str], Forward]) -> None:
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Forward:
        return self._read(value) if isinstance(value, str) else value


@click.command()
@click.option("-L", "here", multiple=True, type=_Read(local), metavar="[udp:][ADDRESS:]PORT:HOST:PORT",
              help="Listen on this computer, by default on 127.0.0.1; connections leave from the board.")  # fmt: skip
@click.option("-R", "there", multiple=True, type=_Read(remote), metavar="[udp:][ADDRESS:]PORT:HOST:PORT",
              help="Listen on the board; connections leave from this computer.")  # fmt: skip
@click.option("-D", "proxies", multiple=True, metavar="[ADDRESS:]PORT",
              help="A proxy (SOCKS5 and HTTP) on this computer; see `nodemcu-bridge proxy`.")  # fmt: skip
@queue_option
@click.option("--udp-idle", type=SECONDS, default=UDP_IDLE, show_default=True,
              help="Seconds of silence after which the client of a UDP forward is forgotten.")  # fmt: skip
@for_option
@port_option
@profile_option
@baud_option
@trace_option
@json_output(ForwardOutput, lines=True)
def forward(
    here: tuple[Forward, ...],
    there: tuple[Forward, ...],
    proxies: tuple[str, ...],
    queue: float,
    udp_idle: float,
    seconds: float | None,
    url: str,
    profile: Profile | None,
    baud: int,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Forward connections by the board, as ssh does by a server, until Ctrl-C or SIGTERM.

    -L, -R and -D may be given several times. Port 0 lets the listening side choose. A line for each says where it
    listens; what fails later is told on standard error.
    """
    if not here and not there and not proxies:
        raise UsageError("There is nothing to forward", remedy="Give -L, -R or -D, such as -L 8080:example.com:80.")
    places = [Proxy.check(*listening(each, "-D"), None) for each in proxies]
    opening = board_for("A forward", url, profile, baud, trace)
    ending.run(_run(url, opening, [*here, *there], places, queue, udp_idle, seconds, as_json))


async def _run(
    url: str,
    opening: open_board,
    wanted: list[Forward],
    places: list[tuple[str, int]],
    queue: float,
    udp_idle: float,
    seconds: float | None,
    as_json: bool,
) -> None:
    async with opening as board, contextlib.AsyncExitStack() as stack:
        proxies = []
        for host, tcp_port in places:
            made = Proxy(board, host=host, tcp_port=tcp_port, limits=Limits(slot=queue))
            proxies.append(await stack.enter_async_context(made))
        async with open_forwards(board, wanted, told=_tell, slot_timeout=queue, udp_idle=udp_idle) as forwards:
            _announce(url, forwards, [each.address for each in proxies], as_json)
            await serve_for(forwards.serve_forever(), seconds)


def _tell(sentence: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads it any more; the forwards go on
        click.echo(sentence, err=True)


def _announce(url: str, forwards: Forwards, proxies: list[tuple[str, int]], as_json: bool) -> None:
    # For programs that wait for it: it must not stay in a buffer, which `click.echo` sees to.
    if as_json:
        stand = [RunningProxy(address=address, port=port) for address, port in proxies]
        said = ForwardOutput(port=url, forwards=[_described(each) for each in forwards], proxies=stand)
        print_json(said, line=True)
        return
    for each in forwards:
        click.echo(each.line)
    for address, port in proxies:
        click.echo(f"{place(address, port)} → board → where SOCKS5 or HTTP say")


def _described(running: Running) -> RunningForward:
    address, port = running.address
    return RunningForward(
        listens="here" if running.forward.side is Side.HERE else "board",
        protocol="udp" if running.forward.udp else "tcp",
        address=address,
        port=port,
        host=running.forward.host,
        host_port=running.forward.host_port,
    )
