"""Measuring: speculation against plain decoding, what it costs, and twins of big models.

    benchmark   one run: who takes part, what is asked, what came of it
      contest, ours, rival      turns; localspec as a contestant, and another draft
      llama_server, llama_server_flags, peers   another program as one
      prompts, guesses, results what is asked; what guesses and tasks came to
      screen, verdict, chart, report, plot   the same for people, programs and papers
    tuning      what passes and guesses cost here, with care
      depth, payoff, advice         deep in a context; what it means; the same in words
    pairing     what drafts are worth for a target
    twins       a small model's words at a big model's costs
      shapes, source, placement, inflate, header, agreement

llama.cpp comes first, before numpy: see `localspec.llama.library`.
"""

import localspec.llama.library  # noqa: F401
