"""A web page on another origin, in a real browser, cannot use the server."""

import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import FakeLLM, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

PAGE = """<!doctype html><pre id=said></pre><script>
const url = "URL", body = JSON.stringify({messages: [{role: "user", content: "x"}]});
const post = {method: "POST", body};
const tries = {
  read: () => fetch(url + "/v1/models"),
  json: () => fetch(url + "/v1/chat/completions",
                    {...post, headers: {"Content-Type": "application/json"}}),
  text: () => fetch(url + "/v1/chat/completions", post),
  blind: () => fetch(url + "/v1/chat/completions", {...post, mode: "no-cors"}),
  image: () => new Promise((good, bad) => {
    const image = new Image(); image.onload = good; image.onerror = bad;
    image.src = url + "/v1/models"; }),
};
(async () => {
  for (const name in tries) {
    let said = "refused";
    try { const answer = await tries[name](); said = answer.type + " " + answer.status; }
    catch (error) {}
    document.getElementById("said").append(name + ": " + said + ";");
  }
})();
</script>"""


@pytest.fixture
def page() -> Iterator[dict[str, str]]:
    """What is served as a web page at `url`; set `text` to change it."""
    content = {"text": ""}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content["text"].encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    content["url"] = f"http://127.0.0.1:{server.server_port}/"
    yield content
    server.shutdown()
    server.server_close()


def browse(url: str, profile: Path, *flags: str) -> str:
    """The page as the browser shows it in the end."""
    assert CHROMIUM
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
        "--virtual-time-budget=4000", "--dump-dom", *flags, url,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_page_in_a_browser_cannot_use_the_server(page: dict[str, str], tmp_path: Path) -> None:
    llm = FakeLLM()
    with serving(lambda: llm) as url:
        page["text"] = PAGE.replace("URL", url)
        said = browse(page["url"], tmp_path)
        for name in ("read", "json", "text", "image"):
            assert f"{name}: refused;" in said
        assert "blind: opaque 0;" in said, "sent, but nothing can be read"
        assert llm.target.decodes == [], "nor was anything computed"
        # The name of a page that was made to point here, as in DNS rebinding.
        port = url.rsplit(":", 1)[1]
        rebound = browse(
            f"http://evil.example:{port}/v1/models",
            tmp_path,
            "--host-resolver-rules=MAP evil.example 127.0.0.1",
        )
        assert "host_not_allowed" in rebound


def test_a_page_that_was_allowed_can(page: dict[str, str], tmp_path: Path) -> None:
    origin = page["url"].rstrip("/")
    with serving(FakeLLM, origins=(origin,)) as url:
        page["text"] = PAGE.replace("URL", url).replace(
            '{messages: [{role: "user", content: "x"}]}',
            '{messages: [{role: "user", content: "x"}], max_tokens: 3}',
        )
        said = browse(page["url"], tmp_path)
        for name in ("read", "json", "text"):
            assert f"{name}: cors 200;" in said
