"""Makes a draft for any target: the target writes, a small decoder learns to write alike.

    writing   the target answers prompts; what it said and what else it considered is recorded
    record    that record on disk: tokens and the likeliest alternatives, torn ends cut off
    decoder   the small decoder, a qwen3 as llama.cpp knows it, in torch
    training  distillation within a time limit, resumable
    export    the decoder as a GGUF file with the target's vocabulary
    measure   how often a draft would have been right, on answers nothing was learnt from
    distill   the steps above in order
    prompts   what the target is asked

Which draft belongs to which target is remembered by `localspec.models.matches`. Only `decoder`,
`training` and `optimiser` import torch (the extra `localspec[distill]`).
"""
