"""Run the project's checks one after the other, say what is run, and end with their sum. See scripts/test."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time

#: System programs that some tests drive, and what they are for.
PROGRAMS = {
    "ab": "a load of HTTP requests",
    "chromium": "shows the page of a rack's run",
    "curl": "an independent HTTP client",
    "dig": "an independent client of DNS",
    "git": "clones through the proxy",
    "mosquitto": "an MQTT broker",
    "nc": "an independent TCP and UDP peer",
    "node": "runs NodeMCU-Tool",
    "npm": "installs NodeMCU-Tool",
    "openssl": "an independent TLS server",
}

PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=10"]
#: Name, what it is, command. Tests wait for their boards two thirds of the time: more workers than cores.
#: Scenarios mostly wait, so they have their own step with its own parallel player.
STEPS: list[tuple[str, str, list[str]]] = [
    ("format", "ruff format --check", [sys.executable, "-m", "ruff", "format", "--check", "."]),
    ("lint", "ruff check", [sys.executable, "-m", "ruff", "check", "."]),
    ("types", "mypy --strict bridge", [sys.executable, "-m", "mypy"]),
    ("coverage", "docs/net-coverage.md", [sys.executable, "scripts/net_coverage.py", "--check"]),
    ("conformance", "docs/asyncio-conformance.md", [sys.executable, "scripts/asyncio_conformance.py", "--check"]),
    ("schemas", "schemas/ of --json", [sys.executable, "scripts/json_schemas.py", "--check"]),
    ("tests", "pytest", [*PYTEST, "-n", "5", "--dist", "worksteal", "--ignore=tests/ground_truth", "tests"]),
    ("ground-truth", "recordings of stock firmware", [*PYTEST, "tests/ground_truth"]),
]


def main() -> int:
    """Run what was asked for; 0 if all of it passed."""
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__)
    names = [name for name, _, _ in STEPS]
    parser.add_argument("--only", metavar="NAMES", help=f"comma-separated, of {', '.join(names)}")
    parser.add_argument("pytest", nargs="*", metavar="-- ARGUMENT", help="arguments for pytest")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else names
    for name in chosen:
        if name not in names:
            parser.error(f"{name} is not a check; known: {', '.join(names)}")

    # Debian keeps servers where not every user's PATH looks.
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    absent = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    in_ci = os.environ.get("CI") == "true"
    for name in absent:
        consequence = "that is a failure under CI=true" if in_ci else "the tests that drive it are skipped and say so"
        print(f"{name} ({PROGRAMS[name]}) is not on this machine: {consequence}.", flush=True)

    # Tests start a thousand programs: each would compile the same modules again.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    results: list[tuple[str, str, int, float]] = []
    # In a fresh checkout pytest rewrites every file of tests, which takes half a minute: once, beside the first checks,
    # which have one core, and not by all workers at once. What is wrong with a file the tests say themselves.
    rewriting = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", "tests"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) if "tests" in chosen and len(chosen) > 1 else None  # fmt: skip
    for name, title, command in STEPS:
        if name not in chosen:
            continue
        if command[2] == "pytest":
            command = [*command, *arguments.pytest]
            if rewriting is not None:
                rewriting.wait()
        print(f"\n== {name}: {title}", flush=True)
        begun = time.monotonic()
        status = subprocess.run(command, env=environment).returncode
        results.append((name, title, status, time.monotonic() - begun))

    print("\n== sum", flush=True)
    for name, title, status, seconds in results:
        print(f"{'passed' if status == 0 else 'FAILED':7} {name:13} {seconds:6.1f} s  {title}")
    for name in absent:
        print(f"{'FAILED' if in_ci else 'absent':7} {name:13}           {PROGRAMS[name]}")
    failed = any(status for _, _, status, _ in results) or (in_ci and bool(absent))
    print("FAILED" if failed else "all passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
