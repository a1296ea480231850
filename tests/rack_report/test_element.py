from __future__ import annotations

from bridge.rack_report.element import document, el, into, raw


def text(*children: object) -> str:
    return document([], el("body", *children))  # type: ignore[arg-type]


def test_text_comes_out_as_text() -> None:
    shown = text(el("p", "</p><script>alert(1)</script>&amp;"))
    assert "<p>&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</p>" in shown


def test_an_attribute_stays_in_its_quotes() -> None:
    assert '<p title="&quot; onclick=&quot;x">' in text(el("p", title='" onclick="x'))


def test_what_is_unseen_is_written_out_in_both() -> None:
    assert '<p title="\\x00">\\x1b</p>' in text(el("p", "\x1b", title="\0"))


def test_children_stand_in_their_order() -> None:
    assert "<p>one<b>two</b>three<i></i>four</p>" in text(
        el("p", "one", el("b", "two"), "th", "ree", el("i"), None, "four")
    )


def test_names_of_attributes_are_those_of_html() -> None:
    assert '<p class="a" data-x="1" aria-hidden="true"></p>' in text(
        el("p", class_="a", data_x=1, aria_hidden="true", id=None)
    )


def test_more_can_be_put_in_later() -> None:
    assert "<p>ab</p>" in text(into(el("p", "a"), "b"))


def test_a_script_of_ours_is_not_escaped() -> None:
    assert "<script>a && b < c</script>" in text(raw("script", "a && b < c"))


def test_elements_without_an_end_have_none() -> None:
    shown = document([el("meta", charset="utf-8")], el("body", el("br")))
    assert shown == '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"></head><body><br></body></html>\n'
