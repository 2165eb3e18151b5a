"""Puts the fakes on the import path and takes the clock away, from hypothesis and from OpenMP."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# Decision 9 goes further where tests run beside other programs: threads spin still shorter.
os.environ.setdefault("GOMP_SPINCOUNT", "200")
sys.path.insert(0, str(Path(__file__).parent))
settings.register_profile("localspec", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("localspec")
