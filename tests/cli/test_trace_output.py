"""Lines of every kind; that those of a real trace fit is tested in tests/cli/test_json_output.py."""

from __future__ import annotations

import pytest

from bridge.cli.trace_output import TraceDamage, TraceFrame, TraceHeader, TraceNote, shown_line


def test_a_header_that_holds_whatever_somebody_put_there() -> None:
    line = shown_line({"what": "trace", "trace": 1, "port": "x", "cut": True, "bridge": 7, "mine": []}).root
    assert line == TraceHeader(what="trace", trace=1, port="x", cut=True)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"what": "frame", "t": 1, "mark": ">", "ack": 3, "bytes": 0, "again": False}, TraceFrame),
        ({"what": "damage", "t": 1, "mark": "<", "bytes": 1, "hex": "00", "elided": True}, TraceDamage),
        ({"what": "fault", "t": 1, "mark": "!", "text": "gone", "facts": {}}, TraceNote),
    ],
)
def test_a_line_is_of_the_kind_that_it_names(said: dict[str, object], kind: type) -> None:
    assert isinstance(shown_line(said).root, kind)
