"""`localspec doctor`: what works on this computer, and what to do about the rest."""

import argparse
import json
import textwrap

from localspec.console import mark
from localspec.doctor import Finding, examine
from localspec.llama.library import show_log

__all__ = ["run"]

_COLUMN = 14


def run(options: argparse.Namespace) -> int:
    """Print findings as they are made; 1 where something does not work."""
    show_log(options.verbose)
    findings = []
    for finding in examine():
        findings.append(finding)
        if not options.json:
            print(_line(finding), flush=True)
    failed = any(finding.state == "failed" for finding in findings)
    if options.json:
        document = {"ok": not failed, "findings": [finding._asdict() for finding in findings]}
        print(json.dumps(document, ensure_ascii=False))
    return 1 if failed else 0


def _line(finding: Finding) -> str:
    line = f"{mark(finding.state)} {finding.subject:<{_COLUMN}}{finding.detail}"
    if not finding.advice:
        return line
    indent = " " * (_COLUMN + 2)
    wrapped = textwrap.fill(
        finding.advice, 96, initial_indent=indent, subsequent_indent=indent, break_long_words=False
    )
    return f"{line}\n{wrapped}"
