"""An option of somebody else's that has the name of one of this plugin's: a sentence in place of pytest's traceback.

pytest has no way to give way: options are added before anybody's conftest.py is read, and stay.
"""

from __future__ import annotations

import argparse
import os
import re
import traceback
from collections import Counter

import pytest

#: How pytest's group of this plugin's options is called.
GROUP = "nodemcu"
#: The options in it.
OPTIONS = frozenset({
    "--board", "--board-wait", "--labgrid", "--ntest-library", "--ntest-own-tap", "--ntest-silence", "--ntest-with",
    "--rack", "--rack-html", "--rack-json", "--rack-strict",
})  # fmt: skip
#: What pytest raises, by its version: for a name that is taken, and for the attribute that is made of it.
ERRORS = (ValueError, argparse.ArgumentError)


def explained(error: Exception) -> Exception:
    """The same error, or a sentence if it is about an option of this plugin."""
    named = [name for name in re.findall(r"--[a-z][a-z-]*", str(error)) if name in OPTIONS]
    return _clash(named[0], _adder(error)) if named else error


def check(parser: pytest.Parser) -> None:
    """Make sure that each option is there once; pytest before 9.2 finds that out as it parses the command line.

    Raises:
        pytest.UsageError: one of this plugin is there twice.
    """
    groups = [*getattr(parser, "_groups", ()), getattr(parser, "_anonymous", None)]
    options = {id(option): option for group in groups if group is not None for option in group.options}
    count = Counter(name for option in options.values() for name in option.names())
    for name in sorted(OPTIONS):
        if count[name] > 1:
            raise _clash(name, None)


def _adder(error: Exception) -> str | None:
    """File and line that wanted to add it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.name == "pytest_addoption"]
    if not frames or frames[-1].filename.startswith(os.path.dirname(__file__)):
        return None
    file = os.path.relpath(frames[-1].filename)
    return f"{frames[-1].filename if file.startswith('..') else file}:{frames[-1].lineno}"


def _clash(name: str, adder: str | None) -> pytest.UsageError:
    return pytest.UsageError(
        f"{adder or 'A conftest.py or another plugin'} adds the option {name}, which is one of the plugin "
        "nodemcu_bridge. Give it another name there, or leave this plugin out with `-p no:nodemcu_bridge`, on the "
        "command line or in addopts."
    )
