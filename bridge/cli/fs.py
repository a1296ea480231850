"""`nodemcu-bridge fs`: files on a board's flash."""

from __future__ import annotations

import base64
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bridge.cli import fs_reports as reports
from bridge.cli.fs_board import Place, on_board
from bridge.cli.json_output import json_output, print_json
from bridge.cli.options import baud_option, port_option, profile_option, trace_option
from bridge.errors import UsageError
from bridge.files import Files, host
from bridge.files.names import check_name, plain, shown
from bridge.ports.open import run_for

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R", bound=reports.FsReport)


def board_options(function: F) -> F:
    """What all of them take, beside --json."""
    for option in (trace_option, baud_option, profile_option, port_option):
        function = option(function)
    return function


@click.group()
def fs() -> None:
    """Work with the files on a board's flash.

    A file that is sent is compared by a digest, and takes the place of the old one only when it is whole.
    """


@fs.command()
@json_output(reports.FsList)
@board_options
def ls(as_json: bool, **place: Any) -> None:
    """List the files and their sizes in bytes."""

    async def work(at: Place) -> reports.FsList:
        files = await at.files.ls()
        entries = [reports.FileEntry(name=plain(name), size=size) for name, size in files.items()]
        return reports.FsList(**at.facts(), files=entries)

    def show(report: reports.FsList) -> None:
        width = max((len(str(file.size)) for file in report.files), default=0)
        for file in report.files:
            click.echo(f"{file.size:{width}}  {shown(file.name)}")

    finish(place, work, show, as_json)


@fs.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "name", metavar="NAME", help="Name on the board. Default: the file's own, without its folder.")
@json_output(reports.FsPut)
@board_options
def put(files: tuple[Path, ...], name: str | None, as_json: bool, **place: Any) -> None:
    """Send FILES of this computer to the board, where they replace those of the same names."""
    if name is not None and len(files) > 1:
        raise UsageError("--as names one file, and there are several", remedy="Send them one by one.")
    names = [name if name is not None else file.name for file in files]
    for each in names:
        check_name(each)
    if len(set(names)) < len(names):
        raise UsageError("Two of the files have the same name", remedy="Send one of them with --as NAME.")
    contents = [host.read_file(file) for file in files]

    async def work(at: Place) -> reports.FsPut:
        sent = []
        if isinstance(at.files, Files):  # nodemcu-uploader cannot tell
            await at.files.check_room(dict(zip(names, contents, strict=True)))
        for file, each, data in zip(files, names, contents, strict=True):
            with bar(each) as told:
                written = await at.files.put(each, data, told=told)
            sent.append(
                reports.SentFile(
                    name=plain(each), size=len(data), path=plain(str(file)), digest=written.digest,
                    seconds=round(written.seconds, 3),
                )
            )  # fmt: skip
        return reports.FsPut(**at.facts(), files=sent)

    def show(report: reports.FsPut) -> None:
        for file in report.files:
            click.echo(f"{shown(file.name)}: {file.size} bytes in {file.seconds:.1f} s, compared by {file.digest}")

    finish(place, work, show, as_json, much=sum(map(len, contents)))


@fs.command()
@click.argument("names", nargs=-1, required=True)
@click.option(
    "--to", "target", metavar="PATH", type=click.Path(), default=".",
    help="Folder for the files (with a slash behind it, if need be), or, of one file, its name here. Default: the "
    "working folder.",
)  # fmt: skip
@json_output(reports.FsGet)
@board_options
def get(names: tuple[str, ...], target: str, as_json: bool, **place: Any) -> None:
    """Fetch files by their NAMES on the board to this computer, where they replace what is there."""
    paths = [_path_for(name, target, alone=len(names) == 1) for name in names]
    for name, path in zip(names, paths, strict=True):
        check_name(name)
        host.check_writable(path)
    if len(set(paths)) < len(paths):
        raise UsageError("Two of the files would have the same name here", remedy="Fetch them one by one, with --to.")

    async def work(at: Place) -> reports.FsGet:
        fetched = []
        for name, path in zip(names, paths, strict=True):
            with bar(name) as told:
                data = await at.files.get(name, told=told)
            await host.deliver(path, data)
            fetched.append(reports.FetchedFile(name=plain(name), size=len(data), path=plain(str(path))))
        return reports.FsGet(**at.facts(), files=fetched)

    def show(report: reports.FsGet) -> None:
        for file in report.files:
            click.echo(f"{shown(file.name)}: {file.size} bytes, now in {shown(file.path)}")

    finish(place, work, show, as_json, much=None)


def _path_for(name: str, to: str, *, alone: bool) -> Path:
    """Where a file of the board goes: what is before its last slash is no folder of this computer."""
    last, target = name.rpartition("/")[2], Path(to)
    if not os.path.isdir(target) and (alone or host.asks_for_folder(to)):
        if host.asks_for_folder(to):
            host.check_writable(to)
        return target
    if last in ("", ".", ".."):
        raise UsageError(f"{shown(name)} gives no name of a file here", remedy="Say with --to where it is to go.")
    return target / last


@fs.command()
@click.argument("names", nargs=-1, required=True)
@json_output(reports.FsRemove)
@board_options
def rm(names: tuple[str, ...], as_json: bool, **place: Any) -> None:
    """Remove files from the board by their NAMES; none of them if one is not there."""
    for name in names:
        check_name(name, scratch=True)

    async def work(at: Place) -> reports.FsRemove:
        await at.files.rm(*names)
        return reports.FsRemove(**at.facts(), removed=[plain(name) for name in dict.fromkeys(names)])

    finish(place, work, lambda report: None, as_json)


@fs.command()
@click.argument("old")
@click.argument("new")
@json_output(reports.FsMove)
@board_options
def mv(old: str, new: str, as_json: bool, **place: Any) -> None:
    """Give the file OLD the name NEW, which no other file may have."""
    check_name(old)
    check_name(new)

    async def work(at: Place) -> reports.FsMove:
        await at.whole("mv").mv(old, new)
        return reports.FsMove(**at.facts(), old=plain(old), new=plain(new))

    finish(place, work, lambda report: None, as_json)


@fs.command()
@click.argument("name")
@json_output(reports.FsCat)
@board_options
def cat(name: str, as_json: bool, **place: Any) -> None:
    """Print the file NAME, byte by byte as it is."""
    check_name(name)
    found: list[bytes] = []

    async def work(at: Place) -> reports.FsCat:
        found.append(data := await at.files.get(name))
        return reports.FsCat(
            **at.facts(), name=plain(name), size=len(data), base64=base64.b64encode(data).decode()
        )  # fmt: skip

    def show(report: reports.FsCat) -> None:
        click.echo(found[0], nl=False)

    finish(place, work, show, as_json, much=None)


@fs.command()
@json_output(reports.FsSpace)
@board_options
def df(as_json: bool, **place: Any) -> None:
    """Say how much room there is, in bytes."""

    async def work(at: Place) -> reports.FsSpace:
        space = await at.whole("df").df()
        return reports.FsSpace(
            **at.facts(), total=space.total, used=space.used, free=space.free, largest=space.largest
        )  # fmt: skip

    def show(report: reports.FsSpace) -> None:
        click.echo(f"{report.total} bytes, {report.used} used, {report.free} free")
        click.echo(f"The largest file that can be sent has {report.largest} bytes.")

    finish(place, work, show, as_json)


@fs.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--delete", is_flag=True, help="Also remove files that FOLDER lacks, before anything is sent.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_output(reports.FsSync)
@board_options
def sync(folder: Path, delete: bool, dry_run: bool, as_json: bool, **place: Any) -> None:
    """Make the board's files those of FOLDER: send what differs, by size and digest.

    Files of folders within it have names such as www/index.html. What begins with a dot is left out.
    """

    async def work(at: Place) -> reports.FsSync:
        with bars() as told:
            plan = await at.whole("sync").sync(folder, delete=delete, dry_run=dry_run, told=told)
        return reports.FsSync(
            **at.facts(), folder=plain(str(folder)), dry_run=dry_run, sent=_plain(plan.send), same=_plain(plan.same),
            removed=_plain(plan.remove), others=_plain(plan.others), left_out=_plain(plan.left_out),
        )  # fmt: skip

    def show(report: reports.FsSync) -> None:
        would = "would be " if report.dry_run else ""
        for what, names in (("removed", report.removed), ("sent", report.sent), ("left out", report.left_out)):
            for name in names:
                click.echo(f"{would if what != 'left out' else ''}{what}: {shown(name)}")
        sums = f"{len(report.sent)} {would}sent, {len(report.same)} the same, {len(report.removed)} {would}removed"
        click.echo(f"{sums}, {len(report.others)} others on the board")

    finish(place, work, show, as_json, much=None)


@fs.command("format")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_output(reports.FsFormat)
@board_options
def format_(yes: bool, as_json: bool, **place: Any) -> None:
    """Erase all files of the board."""
    if not yes and not _agreed(place["url"]):
        click.echo("Nothing was erased.", err=True)
        return

    async def work(at: Place) -> reports.FsFormat:
        await at.files.format()
        return reports.FsFormat(**at.facts())

    finish(place, work, lambda report: click.echo("All files are erased."), as_json)


def _agreed(url: str) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():  # None: closed, as by `<&-`
        raise UsageError("To erase all files somebody has to agree, and nobody can be asked here", remedy="Give --yes.")
    return click.confirm(f"Erase all files of the board on {url}?", err=True)


def _plain(names: list[str]) -> list[str]:
    return list(map(plain, names))


def finish(
    place: dict[str, Any],
    work: Callable[[Place], Awaitable[R]],
    show: Callable[[R], None],
    as_json: bool,
    much: int | None = 0,
) -> None:
    """Do the work on the board and print its report.

    Args:
        place: the options of `board_options`.
        work: what is to be done.
        show: prints the report for people.
        as_json: print it as JSON.
        much: bytes that will go over the line, if that is known; a faster line is worth its while from some on.
    """
    report = run_for(place["url"], on_board(work, much=much, **place))
    for name in report.finished:
        click.echo(f"The upload of {shown(name)} was cut off earlier, and is finished now.", err=True)
    if as_json:
        print_json(report)
    else:
        show(report)


@contextlib.contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """Shows on a terminal how far each file is; gives what is told of it."""
    console = Console(stderr=True)
    tasks: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    ) as shows:  # fmt: skip

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = shows.add_task(shown(name), total=total)
            shows.update(tasks[name], completed=done)

        yield show


@contextlib.contextmanager
def bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """The same of one file."""
    with bars() as told:
        yield lambda done, total: told(name, done, total)
