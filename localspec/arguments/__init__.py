"""The arguments of every verb: one file a verb, each with an `add`.

They stand apart from the verbs so that `--help` and mistakes are answered without loading
llama.cpp.
"""

from localspec.arguments import bench, doctor, generate, models, serve, tune

__all__ = ["VERBS"]

VERBS = (generate, serve, models, tune, bench, doctor)
"""In the order in which `localspec --help` lists them."""
