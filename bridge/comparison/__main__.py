"""`scripts/hil`: compare the board at a port with the virtual board, and write one report of what differs."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bridge.comparison import calibration, facts, run, scenarios
from bridge.comparison.report import Report
from bridge.comparison.restart import HOLD_S
from bridge.errors import BridgeError, UsageError
from bridge.ports.discover import only_board
from bridge.profile import Profile, load_profile


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it.

    Returns:
        0 if the board was compared and passed its tests, whatever else differs; 1 if a test failed or the board could
        not be used; 2 for wrong use.
    """
    options = _parser().parse_args(arguments)
    try:
        report = compare(options)
    except BridgeError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    found = report.differences()
    for each in found:
        _say(f"  differs: {each}")
    _say(f"{len(found)} differences; see {options.report}")
    return 1 if report.tests else 0


def compare(options: argparse.Namespace) -> Report:
    """Do what the command line asked for, and write the report.

    Raises:
        BridgeError: the board could not be used.
    """
    tests = Path(options.tests)
    if not (tests / "hil").is_dir():
        raise UsageError(f"There is no folder hil in {tests}", remedy="Run scripts/hil from a checkout of the project.")
    names = None if options.scenarios == "all" else [each for each in options.scenarios.split(",") if each != "none"]
    chosen = scenarios.find(tests / "ground_truth" / "scenarios", names)
    with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as folder:
        out = Path(options.keep or folder)
        out.mkdir(parents=True, exist_ok=True)
        port = options.port or only_board().url
        hold_s = _hold(load_profile(options.profile)) if options.profile else HOLD_S
        _say(f"Asking the board at {port} what it is ...")
        board = asyncio.run(run.survey(port, hold_s, measure=True))
        virtual = asyncio.run(run.survey(run.VIRTUAL))
        report = Report(
            port=port,
            board=board.facts,
            virtual=virtual.facts,
            facts=facts.differences(board.facts, virtual.facts),
            equal_board=board.facts.equal_board,
            figures=board.figures,
        )
        if options.calibration:
            calibration.write(Path(options.calibration), board.figures, f"the board at {port}")
            report.calibration = options.calibration
        if not options.no_tests:
            _say("Running tests/hil on it ...")
            run.run_tests(port, tests / "hil", out, report)
        if chosen:
            _say(f"Playing {len(chosen)} console scenarios on it, and on a virtual board like it ...")
            run.compare_scenarios(chosen, board, port, out, report, lambda line: _say(f"  {line}"))
        report.write(Path(options.report))
    return report


def _hold(profile: Profile) -> float | None:
    return None if profile.reset.lines == "none" else profile.reset.hold_ms / 1000


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/hil", description=__doc__)
    parser.add_argument(
        "--port", metavar="URL", help="the board's port (default: the only one found); the board is reset many times"
    )
    parser.add_argument("--profile", metavar="NAME", help="its kind, of device_profiles/: says how its lines reset it")
    parser.add_argument("--report", default="hil-report.md", metavar="FILE", help="Markdown; JSON is written beside it")
    parser.add_argument(
        "--scenarios", default="all", metavar="NAMES", help="comma-separated console scenarios, `all` or `none`"
    )
    parser.add_argument(
        "--calibration", metavar="FILE", help="keep the measured speed here, for virtual boards to compute as fast"
    )
    parser.add_argument("--no-tests", action="store_true", help="do not run tests/hil")
    parser.add_argument("--keep", metavar="FOLDER", help="keep all answers and logs in this folder")
    parser.add_argument("--tests", default="tests", metavar="FOLDER", help=argparse.SUPPRESS)
    return parser


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
