"""A draft of the same shape that knows nothing, to see what the worst draft costs.

python benchmarks/useless_draft.py DRAFT.gguf USELESS.gguf
python -m localspec bench shell --draft USELESS.gguf
"""

import argparse
from pathlib import Path

import numpy as np

from localspec.distill import export


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("draft", type=Path)
    parser.add_argument("useless", type=Path)
    options = parser.parse_args()
    shape, weights = export.read(options.draft)
    chance = np.random.default_rng(0)
    random = {
        name: values
        if values.ndim == 1
        else chance.normal(0, values.std(), values.shape).astype(np.float32)
        for name, values in weights.items()
    }
    export.write(options.useless, "useless draft", random, shape, options.draft, "q8_0")


if __name__ == "__main__":
    main()
