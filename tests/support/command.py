"""The command line in this process: a process of its own costs half a second to start."""

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

from localspec.cli import main


class Done(NamedTuple):
    """How a command ended; named as in `subprocess.CompletedProcess`."""

    returncode: int
    stdout: str
    stderr: str


def localspec(*arguments: str) -> Done:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return Done(code, out.getvalue(), err.getvalue())


def refused(*arguments: str, code: int = 2) -> str:
    """The one sentence a command fails with."""
    done = localspec(*arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr
