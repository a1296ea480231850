"""What did not pass, each with all that is known of it."""

from __future__ import annotations

from bridge.rack_report.element import Element, el
from bridge.rack_report.excerpt import shorter
from bridge.rack_report.heap_curve import change, heap_curve, kb
from bridge.rack_report.kinds import GLYPHS, charge_words, kind_of, kind_words
from bridge.rack_report.listing import busy, name_of
from bridge.rack_report.model import Excerpt, TestReport
from bridge.rack_report.verdict import duration

#: Failures with everything; the others are in the list of tests with one line each.
MOST_SHOWN = 200
#: From which on excerpts are shorter.
_MANY = 50
_SHORT = (300, 900)
#: Findings of one test that are shown, and how long each may be.
_MOST_FINDINGS, _LONGEST_FINDING = 8, 600


def failure(test: TestReport, name: str, *, many: bool, passed_later: bool, known: bool = False) -> Element:
    """One card.

    Args:
        test: what failed.
        name: of the card's element.
        many: there are so many that each is shorter.
        passed_later: it was run again, and passed.
        known: one like it stands before, so that what it says is folded.
    """
    kind = kind_of(test)
    facts = [
        f"on {test.place}" if test.place else "on no board",
        f"waited {duration(test.waited)} for it" if test.waited >= 1 else None,
        f"{duration(busy(test))}, begun at {duration(test.started + test.waited)}",
        f"attempt {test.attempt}" if test.attempt > 1 else None,
        "run again, and passed" if passed_later else "run again" if not test.last else None,
        f"worker {test.worker}" if test.worker else None,
    ]
    findings = [
        each if len(each) <= _LONGEST_FINDING else f"{each[:_LONGEST_FINDING]}…"
        for each in [*test.findings, *test.notes]
    ]
    return el(
        "article",
        el(
            "h3",
            el("span", GLYPHS[kind], class_=f"sign is-{kind}", aria_hidden="true"),
            el("span", *name_of(test.nodeid), class_="name"),
            el("span", charge_words(test), class_=f"badge is-{kind}"),
        ),
        el("p", *(el("span", fact) for fact in facts if fact), class_="facts", title=kind_words(test)),
        el("ul", *(el("li", each) for each in findings[:_MOST_FINDINGS]), class_="findings") if findings else None,
        _text("what the test said", test.message, many, known or _says_findings_again(test)),
        _text("console of the board", test.console, many, known),
        _heap(test),
        id=name,
        class_=f"failure is-{kind}",
    )


def _says_findings_again(test: TestReport) -> bool:
    return test.message is not None and test.message.head.partition("\n")[0] in test.findings


def _text(title: str, text: Excerpt | None, many: bool, folded: bool) -> Element | None:
    if text is None:
        return None
    if many:
        text = shorter(text, *_SHORT)
    body = el("pre", text.head)
    if text.left_out:
        left_out = f"{text.left_out:,}".replace(",", "\u202f")
        body.append(el("span", f"{left_out} characters left out", class_="left-out"))
        body.append(el("span", text.tail))
    return el("details", el("summary", title), body, open=None if many or folded else "open")


def _heap(test: TestReport) -> Element | None:
    curve = heap_curve(test.heap) if len({size for _, size in test.heap}) > 1 else None
    if test.heap_before is None or test.heap_after is None:
        return None
    words = f"{kb(test.heap_before)} → {kb(test.heap_after)} ({change(test.heap_before, test.heap_after)})"
    return el("div", el("span", f"free heap {words}", class_="note"), curve, class_="heap-row")
