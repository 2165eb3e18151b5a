"""A llama-server of a few lines: the flags, the health check, and answers made of figures.

Run as a script it serves; `install` puts an executable copy into a folder. `FAKE` in the
environment makes it misbehave; it notes its process ids in the file that `PIDS` names.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest  # slow to import, and the server starts often

HELP = """--model FNAME  --port N  --no-repack
--draft-max N   removed, use --spec-draft-n-max
--spec-draft-model, -md, --model-draft FNAME
--spec-draft-n-max N     --spec-draft-p-min, --draft-p-min P
--spec-type none,draft-simple,ngram-simple"""


def install(folder: Path, monkeypatch: "pytest.MonkeyPatch") -> Path:
    """An executable that runs this file."""
    file = folder / "llama-server"
    file.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} "$@"\n')
    file.chmod(0o755)
    monkeypatch.setenv("PIDS", str(folder / "pids"))
    return file


class Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        Handler.asked += 1
        self.send(503 if Handler.asked == 1 else 200, {})  # first it is still loading

    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert order["cache_prompt"] is False
        assert order["samplers"][0] == "temperature"
        drafting = "--spec-draft-model" in sys.argv
        timings = {
            "predicted_n": order["n_predict"],
            "predicted_per_second": 10.0 + len(order["prompt"]) + drafting,
        }
        if drafting:
            timings["draft_n"] = 7
        babbles = os.environ.get("FAKE") == "babbles"
        self.send(200, {"content": "hm"} if babbles else {"timings": timings})

    def send(self, status: int, document: dict[str, object]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: object) -> None:
        pass


def serve() -> None:
    if "--help" in sys.argv:
        print(HELP)
        return
    if os.environ.get("FAKE") == "dies":
        sys.exit("loading\nerror: no such tensor\nbye")
    if os.environ.get("FAKE") == "dies drafting" and "--spec-draft-model" in sys.argv:
        sys.exit("error: the draft does not fit")
    with Path(os.environ["PIDS"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    address = [sys.argv[sys.argv.index(name) + 1] for name in ("--host", "--port")]
    HTTPServer((address[0], int(address[1])), Handler).serve_forever()


if __name__ == "__main__":
    serve()
