"""How much room files take: pages of SPIFFS as NodeMCU configures it (app/spiffs/spiffs_config.h, spiffs_nucleus.h)."""

from __future__ import annotations

from dataclasses import dataclass

#: Bytes of a page of 256 that hold data.
PAGE = 251
#: Data pages that a file's index header names, and each further index page.
_HEADER_ENTRIES, _INDEX_ENTRIES = 105, 124
#: Pages that an upload takes beside the new file: two for the file that holds its name, and what SPIFFS wants free
#: beyond what it writes: one (`spiffs_gc_check`), and one each for the page and the index that a write begins anew.
_UPLOAD = 5


def pages_of(size: int) -> int:
    """Pages that a file of so many bytes takes, its index included."""
    data = -(-size // PAGE)
    return 1 + data + -(-max(0, data - _HEADER_ENTRIES) // _INDEX_ENTRIES)


@dataclass(frozen=True)
class Space:
    """Room in the board's file system, in bytes.

    Args:
        total: what `file.fsinfo` says.
        used: the same.
    """

    total: int
    used: int

    @property
    def free(self) -> int:
        """What `file.fsinfo` says remains; a file cannot have all of it."""
        return max(self.total - self.used, 0)

    @property
    def pages(self) -> int:
        """Pages that an upload may fill, after what it takes itself. (SPIFFS counts one into the total that it never
        gives.)"""
        return max(self.free // PAGE - 1 - _UPLOAD, 0)

    @property
    def largest(self) -> int:
        """The largest file that can be uploaded."""
        pages = self.pages - 1
        if pages <= 0:
            return 0
        # Each index page behind the first names 124 data pages.
        further = -(-max(0, pages - _HEADER_ENTRIES) // (_INDEX_ENTRIES + 1))
        return (pages - further) * PAGE
