"""The picture of a run's page in the documentation, of a real run: that of `nodemcu-bridge rack demo`.

python -m scripts.report_screenshot                  runs the demo (a minute) and writes docs/images/rack-report.png
python -m scripts.report_screenshot --page run.html  of a page that is there already
python -m scripts.report_screenshot --to FILE --width 420 --height 900 --dark
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.chromium import Chromium, Page

ROOT = Path(__file__).parent.parent
#: No picture of the documentation is larger, in bytes.
LARGEST = 200_000


def main() -> int:
    """Write the picture; 0 if it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, help="a page that is there already")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images" / "rack-report.png")
    parser.add_argument("--width", type=int, default=1200, help="of the window, in pixels")
    parser.add_argument("--height", type=int, default=1010)
    parser.add_argument("--dark", action="store_true")
    arguments = parser.parse_args()
    program = shutil.which("chromium")
    if program is None:
        sys.exit("chromium is not on this machine: install it.")
    with tempfile.TemporaryDirectory() as folder:
        page = arguments.page
        if page is None:
            subprocess.run([sys.executable, "-m", "bridge.cli", "rack", "demo", "--to", folder], check=True)
            page = Path(folder) / "run.html"
        with Chromium(program) as browser:
            size = {"width": arguments.width, "height": arguments.height}
            picture = Page(browser, page, **size, dark=arguments.dark).screenshot()
    if len(picture) > LARGEST:
        sys.exit(f"The picture has {len(picture)} bytes and may have {LARGEST}: make the window smaller.")
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    arguments.to.write_bytes(picture)
    print(f"{arguments.to}: {len(picture)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
