"""What a page consists of, by Python's own parser of HTML, which is not what wrote it."""

from __future__ import annotations

from html.parser import HTMLParser


class Markup(HTMLParser):
    """Tags, attributes and text of a page.

    Args:
        text: the page.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        #: (tag, attributes) in order.
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        #: Texts, scripts and styles left out.
        self.words: list[str] = []
        self._within: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & {*self._within}:
            self.words.append(data)

    def tagged(self, name: str, class_: str | None = None) -> list[dict[str, str | None]]:
        """Attributes of all elements with a name, and with a class among theirs."""
        found = [attributes for tag, attributes in self.elements if tag == name]
        return [each for each in found if class_ is None or class_ in (each.get("class") or "").split()]

    @property
    def text(self) -> str:
        """All that a reader may read."""
        return "".join(self.words)
