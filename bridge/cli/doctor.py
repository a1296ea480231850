"""`nodemcu-bridge doctor`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import click

from bridge.cli.json_output import Output, json_output, print_json
from bridge.cli.options import baud_option, profile_option, trace_option
from bridge.doctor.board import look_at_board
from bridge.doctor.finding import Check, Finding, Status
from bridge.doctor.host import adapters_without_port, look_at_port
from bridge.errors import PortNotFound
from bridge.ports.discover import only_board
from bridge.ports.open import run_for
from bridge.profile import Profile
from bridge.trace.file import create

_MARKS: dict[Status, str] = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


class DoctorFinding(Output):
    """What was found at one step; `remedy` is null where all is well."""

    check: Check
    status: Status
    what: str
    remedy: str | None


class DoctorOutput(Output):
    """All findings, in the order in which things depend on each other. `healthy` says that none is a failure."""

    port: str | None
    healthy: bool
    findings: list[DoctorFinding]


@click.command()
@click.option("--port", "url", metavar="URL", help="As for the other commands. Default: the only board found.")
@profile_option
@baud_option
@trace_option
@json_output(DoctorOutput)
def doctor(url: str | None, profile: Profile | None, baud: int, trace: Path | None, as_json: bool) -> int:
    """Look at a port step by step: permission, driver, adapter, who answers, its firmware, heap and Wi-Fi, the agent.

    Says what is wrong and what to do. Exit code 1 means that something fails, 0 that all works.
    """
    found: list[Finding] = []

    def tell(finding: Finding) -> None:
        found.append(finding)
        if not as_json:
            click.echo(f"{_MARKS[finding.status]}  {finding}")

    if trace is not None:
        # Wrong use is said before anything is looked at.
        os.close(create(trace))
    url = _examine_host(url, tell)
    if url is not None and not any(finding.status == "fail" for finding in found):
        run_for(url, _examine_board(url, baud, trace, profile, tell))
    healthy = not any(finding.status == "fail" for finding in found)
    if as_json:
        print_json(
            DoctorOutput(port=url, healthy=healthy, findings=[DoctorFinding(**dataclasses.asdict(f)) for f in found])
        )
    return 0 if healthy else 1


def _examine_host(url: str | None, tell: Callable[[Finding], None]) -> str | None:
    """What can be said without opening anything; returns the port, None if there is none."""
    if url is None:
        try:
            url = only_board().url
        except PortNotFound as error:
            tell(Finding.of("port", error))
            for finding in adapters_without_port():
                tell(finding)
            return None
    for finding in look_at_port(url):
        tell(finding)
    return url


async def _examine_board(
    url: str, baud: int, trace: Path | None, profile: Profile | None, tell: Callable[[Finding], None]
) -> None:
    async for finding in look_at_board(url, baud=baud, trace=trace, profile=profile):
        tell(finding)
