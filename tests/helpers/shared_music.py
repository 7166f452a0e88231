"""The location of the real music that some tests need."""

import os
from pathlib import Path


def shared_data_folder() -> Path:
    """Return the folder of real music, whether or not it exists."""
    root = os.environ.get("GENRENET_TEST_DATA")
    return Path(root) if root else Path(__file__).parents[3] / "shared" / "data"
