"""``python -m genrenet``."""

import sys

from genrenet.cli import main

if __name__ == "__main__":
    sys.exit(main())
