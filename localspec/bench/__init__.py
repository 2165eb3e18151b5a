"""Measuring: twins of big models, and what runs on them.

llama.cpp comes first, before numpy: see `localspec.llama.library`.
"""

import localspec.llama.library  # noqa: F401
