"""What must not be shown, and texts without it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

from bridge.trace.secrets import Known, Span, blanked, find_secrets, merge


class Discretion:
    """Blanks secrets in texts; what is blanked stays as long as it was.

    Args:
        secrets: texts that must not be shown, wherever they stand.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.known = Known()
        for secret in secrets:
            for form in _forms(secret):
                self.known.add(form)

    def text(self, text: str) -> str:
        """What boards and this package say: without the secrets, and without what reads like one (`pwd="…"`)."""
        data = text.encode("utf-8", "backslashreplace")
        return _without(text, data, [*find_secrets(data), *self.known.spans(data)])

    def users_text(self, text: str) -> str:
        """What a test's user has written himself: without the secrets; the rest is his own."""
        data = text.encode("utf-8", "backslashreplace")
        return _without(text, data, self.known.spans(data))

    def console(self, data: bytes) -> str:
        """What a board has printed, as `text` shows it."""
        spans = merge([*find_secrets(data), *self.known.spans(data)])
        return blanked(data, spans).decode("utf-8", "replace").replace("\r\n", "\n")


def _without(text: str, data: bytes, spans: list[Span]) -> str:
    return blanked(data, merge(spans)).decode("utf-8", "replace") if spans else text


def _forms(secret: str) -> Iterable[bytes]:
    """How a secret stands in a text: as it is, as Python and JSON quote it, and in a URL."""
    raw = secret.encode("utf-8", "surrogateescape")
    quoted = (repr(secret)[1:-1], ascii(secret)[1:-1], json.dumps(secret)[1:-1], quote(raw), repr(raw)[2:-1])
    return dict.fromkeys([raw, *(form.encode("utf-8", "backslashreplace") for form in quoted)])
