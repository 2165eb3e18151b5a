"""Puts the fakes on the import path and takes the clock away from hypothesis."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
settings.register_profile("localspec", deadline=None)
settings.load_profile("localspec")
