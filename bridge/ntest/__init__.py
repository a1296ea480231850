"""NodeMCU's own tests of its modules: files that run on the board and say in TAP what came of it (tests/ in the
firmware's sources: README.md, NTest/NTest.md, tap-driver.expect).

`run_file` brings a file to the board, runs it and reads what it says; a `FileRun` holds what came of each sub-test.
"""

from bridge.ntest.job import Job
from bridge.ntest.on_board import run_file
from bridge.ntest.outline import Outline, read_outline
from bridge.ntest.results import Assertion, Ending, FileRun, Outcome, SubTest

__all__ = ["Assertion", "Ending", "FileRun", "Job", "Outcome", "Outline", "SubTest", "read_outline", "run_file"]
