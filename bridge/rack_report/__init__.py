"""What a run of tests on a rack did: a model of it, and a page that shows it.

    collector = Collector(started=time.time())
    collector.add(Phase(...))             # what pytest reports, phase by phase
    report = collector.report(ended=time.time())
    Path("run.html").write_text(page(report), encoding="utf-8")

Nothing here knows pytest, boards or files.
"""

from bridge.rack_report.collect import Collector
from bridge.rack_report.model import BoardReport, Evidence, Excerpt, RackReport, TestReport, Totals
from bridge.rack_report.page import page
from bridge.rack_report.phase import Phase
from bridge.rack_report.verdict import verdict

__all__ = [
    "BoardReport",
    "Collector",
    "Evidence",
    "Excerpt",
    "Phase",
    "RackReport",
    "TestReport",
    "Totals",
    "page",
    "verdict",
]
