from __future__ import annotations

import re
from datetime import timedelta, timezone

import pytest

from bridge.rack_report import BoardReport, Collector, Phase, RackReport, page, verdict
from tests.rack_report.markup import Markup
from tests.rack_report.runs import made_run

#: What somebody may call a test or a board, or print on a console, in order to get into the page.
HOSTILE = (
    "<script>document.title='hit'</script>",
    "</pre></script></style></title><img src=http://evil.test/x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' style='background:url(http://evil.test/)",
    "<!--", "]]>", "&lt;b&gt;", "javascript:alert(1)", "\x00<\x00b>", "\ud800<b>\x1b]8;;http://evil.test\x07",
    "<base href=http://evil.test/><meta http-equiv=refresh content=0;url=http://evil.test/>",
)  # fmt: skip
#: Everything that a page of ours consists of.
TAGS = {*"html head meta title style script body main header section h1 h2 h3 p ul li dl dt dd div span b i a".split()}
TAGS |= {*"article details summary pre table thead tbody tr th td form input label output".split()}
TAGS |= {*"svg rect line text polygon polyline path defs pattern".split()}


def hostile_run() -> RackReport:
    everything = "".join(HOSTILE)
    collector = Collector(0.0, title=everything, host=everything, command=[*HOSTILE])
    collector.interrupted = everything
    for number, words in enumerate(HOSTILE):
        told = {"place": words, "port": words, "mac": words, "firmware": words, "console": words * 400}
        told |= {"charged_to": "board" if number % 2 else "test", "finding": words, "heap": [[0.0, 9], [1.0, 8]]}  # type: ignore[dict-item]
        for when, outcome in (("setup", "passed"), ("call", "failed" if number % 3 else "passed")):
            nodeid = f"{words}::{words}{number}"
            collector.add(
                Phase(nodeid, when, outcome, 0.0, 1.0, message=words, worker=words, attached=told)  # type: ignore[arg-type]
            )
    return collector.report(1.0)


def test_text_of_others_never_becomes_markup() -> None:
    markup = Markup(page(hostile_run()))
    assert {tag for tag, _ in markup.elements} <= TAGS
    for tag, attributes in markup.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert "src" not in attributes and (attributes.get("href") or "#").startswith("#"), (tag, attributes)
    assert len(markup.tagged("script")) == len(markup.tagged("style")) == 1
    assert all(words.replace("\x00", "\\x00")[:20] in markup.text for words in HOSTILE[:4])


def test_nothing_in_it_leads_outside() -> None:
    text = page(made_run(4, 60))
    assert not re.search(r"https?://|//[a-z]|@import|url\((?!#)", text.replace("rfc2217://127.0.0.1", ""))


def test_a_policy_forbids_what_the_escaping_could_miss() -> None:
    [policy] = [each["content"] or "" for each in Markup(page(made_run(1, 3))).tagged("meta") if "http-equiv" in each]
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy and "unsafe-inline'; script" in policy


def test_it_can_be_written_as_utf_8() -> None:
    assert page(hostile_run()).encode()


def test_it_begins_with_the_sentence_and_has_every_part() -> None:
    run = made_run(4, 60)
    markup = Markup(page(run))
    assert verdict(run) in markup.text
    assert [each.get("id") for each in markup.tagged("section")] == ["timeline", "boards", "failures", "tests"]
    assert len(markup.tagged("svg", "lane")) == len(markup.tagged("article", "board")) == 4
    failed = [test for test in run.tests if test.outcome in ("failed", "again")]
    assert len(markup.tagged("article", "failure")) == len(failed) > 2
    assert len(markup.tagged("tr", None)) == len(run.tests) + len(markup.tagged("thead"))


def test_of_failures_that_are_alike_the_first_is_open() -> None:
    collector = Collector(0.0)
    for number in range(6):
        words = "No board is free." if number < 5 else "assert 1 == 2"
        collector.add(Phase(f"t{number}", "setup", "failed", number, 1.0, message=words))
    folded = [each.get("open") for each in Markup(page(collector.report(6.0))).tagged("details") if "class" not in each]
    assert folded == ["open", None, None, None, None, "open"]


def test_every_link_has_its_target() -> None:
    markup = Markup(page(made_run(4, 60)))
    names = {attributes["id"] for _, attributes in markup.elements if "id" in attributes}
    targets = {each["href"] for each in markup.tagged("a")}
    assert targets and {(target or "").removeprefix("#") for target in targets} <= names
    assert len(names) == sum("id" in attributes for _, attributes in markup.elements)


def test_a_run_without_tests_is_a_page() -> None:
    collector = Collector(0.0)
    collector.add_board(BoardReport(place="a"))
    assert "No test ran." in Markup(page(collector.report(0.0))).text
    assert Markup(page(Collector(0.0).report(0.0))).tagged("section") == []


def test_times_are_those_of_the_readers_zone() -> None:
    assert "26 November 2026, 09:30:00 UTC" in page(made_run(1, 1))
    assert "26 November 2026, 14:30:00 UTC+05:00" in page(made_run(1, 1), timezone(timedelta(hours=5)))


@pytest.mark.parametrize(("boards", "tests", "limit"), [(1, 3, 40_000), (4, 60, 150_000), (40, 2000, 3_000_000)])
def test_a_page_is_no_larger_than_it_must_be(boards: int, tests: int, limit: int) -> None:
    assert len(page(made_run(boards, tests)).encode()) < limit


def test_what_is_too_much_is_counted_and_failures_stay() -> None:
    collector = Collector(0.0)
    for number in range(9000):
        bad = number < 300
        collector.add(
            Phase(
                f"f.py::t{number}",
                "call",
                "failed" if bad else "passed",
                number,
                1.0,
                message="x" * 9999 if bad else None,
            )
        )
    markup = Markup(text := page(collector.report(9000.0)))
    assert len(markup.tagged("article", "failure")) == 200
    assert "100 more are in the list below with a line each." in markup.text
    assert "8700 more passed and are not listed" in markup.text
    assert len(text.encode()) < 4_000_000
