"""Files on the board's flash, as people want them: whole or not at all, compared by digest, a folder kept the same."""

from bridge.files.facade import FileProgress, Files
from bridge.files.folder import Plan
from bridge.files.space import Space
from bridge.files.upload import Written

__all__ = ["FileProgress", "Files", "Plan", "Space", "Written"]
