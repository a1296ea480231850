"""Names of sub-tests: each has one of its own, the same whether it is read from the source or from a run."""

from __future__ import annotations

import re

#: Of what stands for a test file as a whole, beside its sub-tests.
WHOLE = "(whole file)"
_NONE = "(no name)"

_WRITTEN = re.compile(r"\\(\d{3})")


class Names:
    """Gives names that nothing else in a file has."""

    def __init__(self) -> None:
        self._taken = {WHOLE}

    def own(self, name: str) -> str:
        """The name; if it is taken, with the first " (2)", " (3)" … behind it that is not."""
        found = name = name or _NONE
        count = 1
        while found in self._taken:
            count += 1
            found = f"{name} ({count})"
        self._taken.add(found)
        return found


def plain(text: str) -> str:
    """A text as it was before our reporter (firmware/ntest/tap.lua) wrote its control characters as `\\010`."""
    return _WRITTEN.sub(lambda found: chr(int(found[1]) % 256), text)
