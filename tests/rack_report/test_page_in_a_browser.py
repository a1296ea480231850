"""The page in Debian's chromium: what is to be seen, on wide and narrow windows, with and without scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bridge.rack_report import RackReport, page, verdict
from scripts.chromium import Chromium, Page
from tests.programs import require
from tests.rack_report.runs import long_run, made_run
from tests.rack_report.test_page import hostile_run


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium(require("chromium")) as running:
        yield running


def write(folder: Path, text: str) -> Path:
    path = folder / "run.html"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_main_elements_are_to_be_seen_and_nothing_is_fetched(browser: Chromium, tmp_path: Path) -> None:
    run = made_run(4, 60)
    shown = Page(browser, write(tmp_path, page(run)))
    assert shown.ask("document.querySelector('h1').textContent") == verdict(run)
    for selector, count in (("svg.lane", 4), ("article.board", 4), (".failure", 4), ("tbody tr", 62), (".first li", 3)):
        assert shown.ask(f"document.querySelectorAll('{selector}').length") == count, selector
    seen = "[...document.querySelectorAll('svg.lane, svg.heap, article, h1')].every(e => e.getClientRects().length)"
    assert shown.ask(seen)
    # Bars have the colours of their kinds, and so the style sheet was taken.
    passed, failed = (
        shown.ask(f"getComputedStyle(document.querySelector('.lane .is-{each}')).fill") for each in ("passed", "test")
    )
    assert passed != failed and "rgb" in passed and "rgb" in failed
    assert shown.fetched() == [shown.url] and shown.complaints() == []


#: Texts and bars that stand out too little from what is behind them: what they are, and by how much (WCAG 2.2: 4.5, 3).
POOR = """(() => {
  const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = colour => {
    const [r, g, b] = colour.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = parts(getComputedStyle(element).backgroundColor);
      if (colour.length && colour[3] !== 0) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const poor = {};
  for (const element of document.querySelectorAll("body *")) {
    const style = getComputedStyle(element), bar = element.matches(".bar");
    const text = [...element.childNodes].some(each => each.nodeType === 3 && each.data.trim());
    if (!(text || bar) || !element.getClientRects().length || element.tagName === "title") continue;
    const colour = bar || element.tagName === "text" ? style.fill : style.color;
    if (colour.startsWith("url")) continue;
    const [a, b] = [parts(colour).slice(0, 3), behind(element)].map(light).sort((x, y) => y - x);
    const found = (a + .05) / (b + .05);
    if (found < (bar ? 3 : 4.5)) poor[`${element.tagName}.${element.getAttribute("class")}`] = found.toFixed(2);
  }
  return poor;
})()"""


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("dark", [False, True])
def test_everything_stands_out_from_what_is_behind_it(
    browser: Chromium, tmp_path: Path, dark: bool, media: str
) -> None:
    shown = Page(browser, write(tmp_path, page(made_run(4, 60))), dark=dark, media=media)
    assert shown.ask(POOR) == {}
    shown.ask("document.querySelectorAll('.state').forEach(each => { each.style.color = '#777' })")
    assert [*shown.ask(POOR)] != [], "it can find something"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_nothing_reaches_beyond_the_window(browser: Chromium, tmp_path: Path, width: int, dark: bool) -> None:
    for number, run in enumerate((made_run(4, 60), hostile_run(), long_run())):
        shown = Page(browser, write(tmp_path, page(run)), width=width, dark=dark)
        assert shown.ask("document.documentElement.scrollWidth") <= width, number
    light = shown.ask("getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).every(c => c > 128)")
    assert light is not dark


def test_what_is_long_leaves_room_for_what_stands_beside_it(browser: Chromium, tmp_path: Path) -> None:
    shown = Page(browser, write(tmp_path, page(long_run())), width=360)
    # The state of a board is seen however long its name is, and a name has the width of its card.
    inside = "(e => e.getBoundingClientRect().right <= e.parentElement.getBoundingClientRect().right + 1)"
    assert shown.ask(f"[...document.querySelectorAll('.lane-name .state, .board .state')].every{inside}")
    name, card = (
        shown.ask(f"document.querySelector('{each}').getBoundingClientRect().width")
        for each in (".failure h3 .name", ".failure")
    )
    assert name > 0.75 * card
    wide = Page(browser, write(tmp_path, page(long_run())))
    assert wide.ask("getComputedStyle(document.querySelector('.lane-name .place')).textOverflow") == "ellipsis"
    assert wide.ask(f"[...document.querySelectorAll('.lane-name .state')].every{inside}")


def test_without_scripts_everything_is_there(browser: Chromium, tmp_path: Path) -> None:
    shown = Page(browser, write(tmp_path, page(made_run(4, 60))), scripts=False)
    rows = "[...document.querySelectorAll('tbody tr, .failure pre')]"
    assert shown.ask(f"{rows}.length") > 60 and shown.ask(f"{rows}.every(e => e.getClientRects().length > 0)")
    assert shown.ask("document.getElementById('filter').getClientRects().length") == 0


def test_the_filter_shows_what_is_looked_for_and_a_click_sorts(browser: Chromium, tmp_path: Path) -> None:
    shown = Page(browser, write(tmp_path, page(made_run(4, 60))))
    count = "[...document.querySelectorAll('tbody tr')].filter(e => e.getClientRects().length).length"
    typed = "document.querySelector('[type=search]').value = '{}'; "
    typed += "document.getElementById('filter').dispatchEvent(new Event('input'))"
    assert shown.ask(count) == 62
    shown.ask(typed.format("SHELF-2"))
    assert 5 < shown.ask(count) < 30
    shown.ask(typed.format("no such test"))
    assert shown.ask(count) == 0
    shown.ask(typed.format(""))
    shown.ask("document.querySelector('#filter [value=passed]').click()")
    assert shown.ask(count) == 5
    shown.ask("document.querySelector('#filter [value=passed]').click()")
    times = "[...document.querySelector('.tests').querySelectorAll('tbody tr')].map(row => +row.dataset.s)"
    before = shown.ask(times)
    shown.ask("[...document.querySelectorAll('.tests th button')].find(e => e.textContent === 'time').click()")
    assert shown.ask(times) == sorted(before, reverse=True) != before
    assert shown.complaints() == []


def test_a_keyboard_does_what_a_mouse_does(browser: Chromium, tmp_path: Path) -> None:
    shown = Page(browser, write(tmp_path, page(made_run(4, 60))))
    sorts = "document.querySelector('.tests').querySelectorAll('th button')[{}]"
    state = "[...document.querySelector('.tests').querySelectorAll('th')].map(each => each.ariaSort)"
    assert shown.ask(f"{sorts.format(0)}.focus(), document.activeElement.textContent") == "time"
    shown.press(" ")
    assert shown.ask(state) == [None, None, None, "descending", None]
    shown.ask(f"{sorts.format(1)}.focus()")
    shown.press("Enter")
    assert shown.ask(state) == [None, None, None, None, "descending"]
    shown.press("Enter")
    assert shown.ask(state) == [None] * 5, "as they ran"
    # A link in the timeline is reached, is seen to be, and leads to its test.
    shown.ask("document.querySelector('.lane a').focus()")
    assert shown.ask("getComputedStyle(document.querySelector('.lane a')).outlineStyle") != "none"
    assert shown.ask("document.querySelector('.lane a').closest('[role=img]')") is None
    shown.press("Enter")
    assert shown.ask("document.querySelector(':target').className").startswith("failure")


def test_how_many_tests_the_filter_shows_is_said(browser: Chromium, tmp_path: Path) -> None:
    shown = Page(browser, write(tmp_path, page(made_run(4, 60))))
    said = "document.querySelector('#filter output').textContent"
    assert shown.ask(said) == ""
    shown.ask("document.querySelector('[type=search]').focus()")
    for key in "socket_17":
        shown.press(key)
    assert shown.ask(said) == "0 of 62 shown"
    shown.ask("document.querySelector('[type=search]').value = ''")
    shown.ask("document.querySelector('#filter [value=passed]').click()")
    assert shown.ask(said) == "5 of 62 shown"


def test_a_printed_page_shows_what_is_folded(browser: Chromium, tmp_path: Path) -> None:
    path = write(tmp_path, page(made_run(1, 200)))
    rows = "[...document.querySelectorAll('tbody tr')]"
    seen = f"{rows}.filter(row => row.checkVisibility({{contentVisibilityAuto: true}})).length"
    folded = Page(browser, path)
    folded.ask("document.querySelectorAll('details').forEach(each => { each.open = false })")
    printed = Page(browser, path, media="print")
    printed.ask("document.querySelectorAll('details').forEach(each => { each.open = false })")
    assert (folded.ask(seen), printed.ask(seen)) == (0, 200)


@pytest.fixture
def witness() -> Iterator[tuple[str, list[str]]]:
    """The address of an HTTP server on this computer, and the paths that were asked of it."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()
        thread.join()


def test_hostile_names_do_nothing(browser: Chromium, tmp_path: Path, witness: tuple[str, list[str]]) -> None:
    address, asked = witness
    report = hostile_run().model_dump_json().replace("http://evil.test/", address)
    text = page(RackReport.model_validate_json(report))
    assert address in text
    shown = Page(browser, write(tmp_path, text))
    assert not shown.ask("document.title").startswith("hit")
    assert shown.ask("document.querySelectorAll('img, base, iframe, object, [onload], [onerror]').length") == 0
    assert shown.ask("document.querySelectorAll('script').length") == 1
    assert shown.fetched() == [shown.url] and shown.complaints() == [] and asked == []
    # The same markup outside our page is seen by both witnesses.
    shown = Page(browser, write(tmp_path, f"<img src={address}x>"))
    assert shown.fetched() == [shown.url, f"{address}x"] and asked == ["/x"]


def test_the_policy_forbids_what_the_escaping_would_miss(
    browser: Chromium, tmp_path: Path, witness: tuple[str, list[str]]
) -> None:
    address, asked = witness
    foreign = f"<img src={address}x><script>document.title = 'hit'</script><link rel=stylesheet href={address}y>"
    shown = Page(browser, write(tmp_path, page(made_run(1, 3)).replace("<main>", f"<main>{foreign}")))
    assert "hit" not in shown.ask("document.title") and asked == []
    assert len(shown.complaints()) >= 3
