"""`python -m bridge.demo`."""

import sys

from bridge.demo.program import main

if __name__ == "__main__":
    sys.exit(main())
