"""HTML and SVG as a tree: text that goes in can only come out as text, as no markup is ever written by hand."""

from __future__ import annotations

from xml.etree import ElementTree

from bridge.rack_report.visible import visible

Element = ElementTree.Element
Child = Element | str | None


def el(tag: str, *children: Child, **attributes: str | int | float | None) -> Element:
    """An element.

    Args:
        tag: its name.
        children: elements and texts; None is left out.
        attributes: `class_` stands for class, and `_` within a name for `-`; None is left out.
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(name.removesuffix("_").replace("_", "-"), visible(str(value)))
    return into(made, *children)


def into(element: Element, *children: Child) -> Element:
    """Put more into an element; returns it."""
    for child in children:
        if isinstance(child, str):
            text = visible(child)
            if len(element):
                element[-1].tail = (element[-1].tail or "") + text
            else:
                element.text = (element.text or "") + text
        elif child is not None:
            element.append(child)
    return element


def raw(tag: str, text: str, **attributes: str) -> Element:
    """`style` or `script` with text of our own, which a browser does not read as markup."""
    made = el(tag, **attributes)
    made.text = text
    return made


def document(head: list[Element], body: Element) -> str:
    """The text of a whole page."""
    root = el("html", el("head", *head), body, lang="en")
    return f"<!doctype html>\n{ElementTree.tostring(root, encoding='unicode', method='html')}\n"
