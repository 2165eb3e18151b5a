"""An OpenAI-compatible server of a few lines that can misbehave in every way servers do."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Behaviour = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "FakeEndpoint"

    def do_GET(self) -> None:
        self.reply(200, {"object": "list", "data": [{"id": "fake-model"}]})

    def do_POST(self) -> None:
        self.body: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.text = str(self.body.get("prompt") or self.body["messages"][-1]["content"])
        with self.server.lock:
            self.server.running += 1
            self.server.most = max(self.server.most, self.server.running)
            self.server.seen[self.text] += 1
            self.count, self.number = self.server.seen[self.text], self.server.seen.total()
        try:
            self.server.behave(self)
        except (BrokenPipeError, ConnectionResetError):
            pass  # who asked has gone
        finally:
            with self.server.lock:
                self.server.running -= 1

    def answer(self, reason: str = "stop") -> None:
        message = {"role": "assistant", "content": f"echo {self.text} {self.body['seed']}"}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
        self.reply(200, {"model": self.body["model"], "choices": [choice], "usage": usage})

    def answer_as_vllm(self) -> None:
        """With all fields that vLLM 0.32 gives, those too that it has nothing to say in."""
        nothing = dict.fromkeys(("refusal", "annotations", "audio", "function_call", "reasoning"))
        message = {"role": "assistant", "content": "echo", **nothing}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        choice |= dict.fromkeys(("stop_reason", "token_ids", "routed_experts"))
        usage = {"prompt_tokens": 2, "total_tokens": 5, "completion_tokens": 3}
        usage |= dict.fromkeys(("prompt_tokens_details", "completion_tokens_details"))  # type: ignore[arg-type]
        body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1715633336}
        body |= {"model": self.body["model"], "choices": [choice], "service_tier": None}
        body |= {"system_fingerprint": "vllm-0.32.0-04a502f7", "usage": usage}
        nothing = dict.fromkeys(("prompt_logprobs", "prompt_token_ids", "prompt_text", "metrics"))
        nothing |= dict.fromkeys(("kv_transfer_params", "ec_transfer_params"))
        self.reply(200, {**body, **nothing})

    def reply(self, status: int, document: object, **headers: str) -> None:
        self.raw(status, json.dumps(document).encode(), **headers)

    def raw(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        pass


class FakeEndpoint(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behave: Behaviour = Request.answer, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Request)
        self.behave = behave
        self.seen: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.running = self.most = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self.thread.join()

    def handle_error(self, request: object, address: object) -> None:
        pass


def slow(seconds: float) -> Behaviour:
    def behave(request: Request) -> None:
        time.sleep(seconds)
        request.answer()

    return behave
