"""`localspec audit`: is the output exact here?"""

import argparse
import json
from dataclasses import replace

from localspec.arguments.common import loading
from localspec.audit import verdict
from localspec.audit.audit import audit
from localspec.console import columns
from localspec.llama.library import show_log
from localspec.progress import Progress
from localspec.runtime import LLM

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Look, count, compare; 1 where something differs."""
    show_log(options.verbose)

    def load(draft: str) -> LLM:
        return LLM(replace(loading(options), draft=draft))

    with Progress() as progress:
        found = audit(load, options.draft, progress.at)
    if options.json:
        print(json.dumps(verdict.document(found), ensure_ascii=False))
    else:
        print("\n".join(verdict.page(found, columns())))
    return 0 if found.exact else 1
