"""`localspec models verify`: structure, sha256, a short load."""

import argparse
import json

from localspec.console import columns, finding
from localspec.llama import kernels
from localspec.llama.library import show_log
from localspec.models.resolve import find
from localspec.models.verify import verify
from localspec.progress import Progress

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print what is found as it is found; 1 where something is wrong."""
    show_log(options.verbose)
    path, checks = find(options.model), []
    with Progress() as progress:
        for check in verify(path, kernels.way, progress.at):
            checks.append(check)
            if not options.json:
                progress.clear()
                lines = finding(check.state, check.subject, check.detail, columns())
                print("\n".join(lines), flush=True)
    failed = any(check.state == "failed" for check in checks)
    if options.json:
        document = {
            "path": str(path),
            "ok": not failed,
            "checks": [check._asdict() for check in checks],
        }
        print(json.dumps(document, ensure_ascii=False))
    return 1 if failed else 0
