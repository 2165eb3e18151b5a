"""Puts the fakes on the import path and takes the clock away, from hypothesis and from OpenMP."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# Threads that wait by spinning take the processor from those they wait for: beside other programs
# a real model then decodes ten times as slowly. It is read when llama.cpp is loaded, here and in
# every child.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path.insert(0, str(Path(__file__).parent))
settings.register_profile("localspec", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("localspec")
