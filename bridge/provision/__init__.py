"""Makes boards ready as a YAML file says: firmware, files, Wi-Fi, checks; one board or a shelf of them at once."""

from bridge.provision.load import load_shelf
from bridge.provision.report import BoardReport, ShelfReport
from bridge.provision.shelf_run import provision_shelf

__all__ = ["BoardReport", "ShelfReport", "load_shelf", "provision_shelf"]
