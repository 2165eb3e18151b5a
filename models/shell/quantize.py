"""Makes the shell pair's files from unquantized ones: Q5_0 throughout.

    python quantize.py shell-65m-Q8_0.gguf shell-65m-Q5_0.gguf
    python quantize.py shell-draft-6m-BF16.gguf shell-draft-6m-Q5_0.gguf

The embedding is also the output matrix. llama.cpp would make it Q6_K, and Q8_0 where rows are not
divisible by 256; it has to be asked for Q5_0. The target was only kept as Q8_0, so quantizing what
is quantized already is allowed.
"""

import argparse
import ctypes
import sys

import llama_cpp.llama_cpp as lib

GGML_TYPE_Q5_0 = 6  # llama-cpp-python has the file types, but not the tensor types


def quantize(source: str, destination: str) -> int:
    """Write `destination`; returns 0 on success, as llama.cpp does."""
    params = lib.llama_model_quantize_default_params()
    params.ftype = lib.LLAMA_FTYPE_MOSTLY_Q5_0
    params.token_embedding_type = GGML_TYPE_Q5_0
    params.allow_requantize = True
    files = source.encode(), destination.encode()
    return int(lib.llama_model_quantize(*files, ctypes.byref(params)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Quantize a GGUF file to Q5_0.")
    parser.add_argument("source")
    parser.add_argument("destination")
    options = parser.parse_args()
    sys.exit(quantize(options.source, options.destination))
