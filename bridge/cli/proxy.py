"""`nodemcu-bridge proxy`."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path
from typing import Any, Literal

import click
from pydantic import RootModel

from bridge import ending
from bridge.cli.json_output import Output, json_output, print_json
from bridge.cli.options import SECONDS, baud_option, port_option, profile_option, trace_option
from bridge.cli.serving import board_for, for_option, queue_option, serve_for
from bridge.errors import UsageError
from bridge.opening import open_board
from bridge.profile import Profile
from bridge.provision.model import SecretSource
from bridge.provision.secret import read_secret
from bridge.proxy import Credentials, Limits, Proxy, Served
from bridge.proxy.server import HOST, TCP_PORT


class Listening(Output):
    """The first line: where the proxy listens."""

    event: Literal["listening"]
    board: str
    address: str
    port: int
    login: bool


class Request(Output):
    """A client's request that is over. `to_board` and `from_board` are bytes."""

    event: Literal["request"]
    client: str
    kind: Literal["connect", "bind", "udp", "tunnel", "fetch", "none"]
    target: str | None
    outcome: str
    to_board: int
    from_board: int
    seconds: float


class ProxyOutput(RootModel[Listening | Request]):
    """What happens, a line each."""


class _Place(click.ParamType):  # type: ignore[type-arg]
    """ADDRESS:PORT, or PORT alone."""

    name = "address:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        host, colon, tcp_port = value.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        known = host == "localhost" or not colon
        with contextlib.suppress(ValueError):
            known = known or bool(ipaddress.ip_address(host))
        if not known or not (
            tcp_port.isascii() and tcp_port.isdigit() and len(tcp_port) < 10 and int(tcp_port) < 65_536
        ):
            self.fail(
                f"{value[:80]} is no address and port: write it as {HOST}:{TCP_PORT}, or [::1]:{TCP_PORT}.", param, ctx
            )
        return host or HOST, int(tcp_port)


@click.command()
@click.option("--listen", type=_Place(), default=f"{HOST}:{TCP_PORT}", show_default=True, metavar="ADDRESS:PORT",
              help="Where clients connect to; port 0 is a free one. An address that other computers reach needs "
              "--auth-env or --auth-file.")  # fmt: skip
@click.option("--auth-env", metavar="NAME",
              help="Environment variable with user:password, which every client must bring.")  # fmt: skip
@click.option("--auth-file", metavar="FILE", help="The same in the first line of a file that only its owner may read.")
@queue_option
@click.option("--connect-timeout", type=SECONDS, default=Limits.connect, show_default=True,
              help="Seconds for a name and a connection.")  # fmt: skip
@click.option("--clients", type=click.IntRange(min=1), default=Limits.clients, show_default=True,
              help="Clients at once, those that wait included.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="A line on standard error for each request that is over.")
@for_option
@port_option
@profile_option
@baud_option
@trace_option
@json_output(ProxyOutput, lines=True)
def proxy(
    listen: tuple[str, int],
    auth_env: str | None,
    auth_file: str | None,
    queue: float,
    connect_timeout: float,
    clients: int,
    verbose: bool,
    seconds: float | None,
    url: str,
    profile: Profile | None,
    baud: int,
    trace: Path | None,
    as_json: bool,
) -> None:
    """A proxy whose connections leave from the board: SOCKS5 and HTTP on one port, until Ctrl-C or SIGTERM.

    The first line says where it listens. Names are resolved by the board (socks5h:// of curl and git). SOCKS5 has
    CONNECT, BIND and UDP ASSOCIATE, HTTP has CONNECT and plain requests.
    """
    credentials = _credentials(auth_env, auth_file)
    opening = board_for("A proxy", url, profile, baud, trace)
    limits = Limits(slot=queue, connect=connect_timeout, clients=clients)
    # What is wrong with the arguments is said before the board is opened.
    Proxy.check(*listen, credentials)
    ending.run(_run(url, opening, listen, credentials, limits, seconds, verbose, as_json))


def _credentials(env: str | None, file: str | None) -> Credentials | None:
    if env is None and file is None:
        return None
    if env is not None and file is not None:
        raise UsageError("--auth-env and --auth-file both say who may use the proxy", remedy="Give one of them.")
    if not (env or file):
        raise UsageError("The user and the password are nowhere", remedy="Name a variable or a file.")
    source = SecretSource(env=env, file=file)
    return Credentials.read(read_secret(source, Path(), "The proxy's user:password").reveal())


async def _run(
    url: str,
    opening: open_board,
    listen: tuple[str, int],
    credentials: Credentials | None,
    limits: Limits,
    seconds: float | None,
    verbose: bool,
    as_json: bool,
) -> None:
    def tell(served: Served) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more; the proxy goes on
            if as_json:
                print_json(ProxyOutput(Request(event="request", **vars(served))), line=True)
            elif verbose:
                click.echo(_line(served), err=True)

    async with opening as board:
        host, tcp_port = listen
        async with Proxy(
            board, host=host, tcp_port=tcp_port, credentials=credentials, limits=limits, told=tell
        ) as made:
            address, port = made.address
            if as_json:
                first = Listening(
                    event="listening", board=url, address=address, port=port, login=credentials is not None
                )
                print_json(ProxyOutput(first), line=True)
            else:
                click.echo(f"SOCKS5 and HTTP on {f'[{address}]' if ':' in address else address}:{port}")
            await serve_for(made.serve_forever(), seconds)


def _line(served: Served) -> str:
    what = f"{served.kind} {served.target}" if served.target else served.kind
    return (
        f"{served.client} {what}: {served.outcome}, {served.to_board} bytes to the board, "
        f"{served.from_board} from it, {served.seconds:.1f} s"
    )
