"""The `nodemcu-bridge` command: one file per command, imported only when it is asked for.

Exit codes: 0 done, 1 the board or the network failed, 2 wrong use; 130, 143, 129 ended by Ctrl-C, SIGTERM, SIGHUP.
A failure is one sentence on standard error.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from bridge.ending import Ending, signals_obeyed
from bridge.errors import BridgeError


@dataclass(frozen=True)
class Entry:
    """A command of the group.

    Args:
        target: "module:attribute" of the click command.
        summary: the line shown in `nodemcu-bridge --help`, so that help imports no command.
    """

    target: str
    summary: str


#: Every command there is. A new one is a file in this folder and a line here.
COMMANDS: dict[str, Entry] = {
    "bench": Entry("bridge.cli.bench:bench", "Measure what the link to a board carries."),
    "boards": Entry("bridge.cli.boards:boards", "List the ports a board may be on, without opening them."),
    "doctor": Entry("bridge.cli.doctor:doctor", "Look at a port step by step and say what is wrong with it."),
    "exec": Entry("bridge.cli.execute:execute", "Run Lua source on the board and print what it prints."),
    "fs": Entry("bridge.cli.fs:fs", "Work with the files on the board's flash."),
    "firmware": Entry("bridge.cli.firmware:firmware", "Say what a firmware must have, and look into images of it."),
    "flash": Entry("bridge.cli.flash:flash", "Write a firmware image to the board."),
    "forward": Entry("bridge.cli.forward:forward", "Forward connections by the board, as ssh does by a server."),
    "info": Entry("bridge.cli.info:info", "Say which firmware and hardware answer on a port."),
    "provision": Entry("bridge.cli.provision:provision", "Make boards ready as a YAML file says, all at once."),
    "proxy": Entry("bridge.cli.proxy:proxy", "A SOCKS5 and HTTP proxy whose connections leave from the board."),
    "rack": Entry("bridge.cli.rack:rack", "Share boards: who holds which, run a program on one, heal a place."),
    "restore": Entry("bridge.cli.restore:restore", "Write back a flash that `flash --backup` saved."),
    "trace": Entry("bridge.cli.trace:trace", "Show what a trace holds, or feed it to the parser again."),
    "repl": Entry("bridge.cli.repl:repl", "A terminal on the board: Lua line by line, with a history."),
    "run": Entry("bridge.cli.run:run", "Run a Lua file on the board and print what it prints."),
    "virtual": Entry("bridge.cli.virtual:virtual", "Run a virtual board on a pseudo-terminal or an RFC 2217 server."),
    "virtual-image": Entry("bridge.cli.virtual_image:virtual_image", "Make a firmware image for virtual boards."),
    "calibrate": Entry("bridge.cli.calibrate:calibrate", "Compare the virtual board's models with the recordings."),
}


#: What a full or broken disk answers when our output is written to it.
_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class _Group(click.Group):
    """A group whose commands are looked up in `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])


@click.command(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nodemcu-bridge")
def group() -> None:
    """Drive the real network stack of a NodeMCU board over its serial port."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None takes those of the process.

    Returns:
        The exit code: 0 done, 1 the board or the network failed, 2 wrong use; 130 interrupted, 143 and 129 ended by
        SIGTERM and SIGHUP, after cleaning up.
    """
    with signals_obeyed() as ending:
        return _run(arguments, ending)


def _run(arguments: Sequence[str] | None, ending: Ending) -> int:
    if any("\0" in each for each in arguments or ()):  # no shell passes one on, programs may
        click.echo("nodemcu-bridge: There is a NUL in an argument. Leave it out.", err=True)
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files need not be text of this terminal
    try:
        result = group.main(args=arguments, prog_name="nodemcu-bridge", standalone_mode=False)
    except BridgeError as error:
        click.echo(f"nodemcu-bridge: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        with contextlib.suppress(OSError):  # a terminal that was closed takes no words
            click.echo(
                f"nodemcu-bridge: {'interrupted' if not ending.signal else f'ended by {ending.signal.name}'}", err=True
            )
        return ending.exit_code
    except BrokenPipeError:
        # The reader of our output (a pager, `head`) went away; Python would complain once more at exit.
        sys.stdout = None
        return 1
    except OSError as error:
        # Whatever was said on the way out, to a terminal that was closed.
        if ending.signal is not None:
            return ending.exit_code
        if error.filename is not None or error.errno not in _UNWRITTEN:
            raise
        sys.stdout = None
        with contextlib.suppress(OSError):
            click.echo(
                f"nodemcu-bridge: The output cannot be written ({error.strerror}). Make room, or write it elsewhere.",
                err=True,
            )
        return 2
    return result if isinstance(result, int) else 0
