"""Puts the fakes on the import path and takes the clock away, from hypothesis and from OpenMP."""

import os
import signal
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

# Tests run beside each other: threads wait for a core all the time, and spin briefly at once.
os.environ.setdefault("GOMP_SPINCOUNT", "200")
# Tests have a home of their own, and leave yours alone.
os.environ.setdefault("LOCALSPEC_HOME", tempfile.mkdtemp(prefix="localspec-tests-"))
# Ctrl-C is pressed in tests, and shells have programs in the background ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, str(Path(__file__).parent / "support"))
settings.register_profile("localspec", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("localspec")
