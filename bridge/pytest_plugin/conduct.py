"""How the places of a run have conducted themselves: failures are noted, and three in a row quarantine a place.

What a rack file names is noted in the rack's own folder, and holds until `rack heal`. Ports that a command line names
are nobody's to heal, and a virtual board is another one in each process: of those it is noted for this run alone.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from bridge.rack.health import Evidence, Quarantine, quarantined, record_failure, record_success
from bridge.rack.model import Place
from bridge.rack.rack import Rack


class Conduct:
    """The record of a run.

    Args:
        rack: whose places.
        lasting: the rack is one of a file.
    """

    def __init__(self, rack: Rack, *, lasting: bool) -> None:
        self._rack = rack
        self._lasting = lasting
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
        self._folder = Path(tempfile.gettempdir(), f"nodemcu-bridge-run-{os.getuid()}-{run}")

    def folder(self, place: Place) -> Path:
        """Where what is noted of a place is."""
        return self._rack.folder if self._lasting and not place.is_virtual else self._folder

    def failed(self, place: Place, evidence: Evidence) -> Quarantine | None:
        """A place has failed; returns its quarantine, if it is quarantined by now."""
        return record_failure(place, evidence, folder=self.folder(place))

    def worked(self, place: Place) -> None:
        """A test has passed at a place."""
        record_success(place, folder=self.folder(place))

    def out(self) -> frozenset[str]:
        """Names of the places that are quarantined for this run alone; the rack knows of the others."""
        if not self._folder.exists():
            return frozenset()
        return frozenset(
            place.name
            for place in self._rack.places
            if self.folder(place) == self._folder and not place.is_virtual and quarantined(place, folder=self._folder)
        )

    def close(self) -> None:
        """The run is over: what was noted for it alone goes."""
        shutil.rmtree(self._folder, ignore_errors=True)
