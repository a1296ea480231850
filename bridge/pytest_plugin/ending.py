"""The end of a run: boards are given back, and what a test left behind may have done harm after the last one."""

from __future__ import annotations

import pytest

from bridge.errors import BridgeError
from bridge.pytest_plugin.late import late_report
from bridge.pytest_plugin.session import BoardSession


def end(session: pytest.Session, boards: BoardSession) -> None:
    """Give the boards of this process back.

    Args:
        session: of pytest.
        boards: of this process.
    """
    try:
        # Of a test that was interrupted: its fixtures want its board still, as in pytest's own hook, which comes later.
        session._setupstate.teardown_exact(None)
    finally:
        _give_back(session, boards)


def _give_back(session: pytest.Session, boards: BoardSession) -> None:
    try:
        visits = boards.close()
    except BridgeError as error:
        # The tests are over: their results stand.
        session.config.issue_config_time_warning(pytest.PytestWarning(str(error)), stacklevel=2)
        return
    if not hasattr(session.config, "workerinput"):
        boards.conduct.close()
    late = [
        late_report("after the last test", visit, each) for visit in visits for each in visit.inherited if each.owner
    ]
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["nodemcu_late"] = late
        return
    reports = session.config.pluginmanager.getplugin("nodemcu_reports")
    for each in late:
        reports.late(each)
    if late and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
