"""`localspec doctor`: what works on this computer, and what to do about the rest."""

import argparse
import json

from localspec.console import columns, finding
from localspec.doctor import examine
from localspec.llama.library import show_log

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print findings as they are made; 1 where something does not work."""
    show_log(options.verbose)
    findings, width = [], columns()
    for found in examine():
        findings.append(found)
        if not options.json:
            lines = finding(found.state, found.subject, found.detail, width, found.advice)
            print("\n".join(lines), flush=True)
    failed = any(found.state == "failed" for found in findings)
    if options.json:
        document = {"ok": not failed, "findings": [found._asdict() for found in findings]}
        print(json.dumps(document, ensure_ascii=False))
    return 1 if failed else 0
