"""A task answered by a model of this process: what the server does, without a server.

An answer is made of the task alone. What else the server says, times, speeds and ids of chance, is
left out or made of the task's identity.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from localspec.batch.backends.base import OK, Effort, Reply
from localspec.batch.request import CHAT, COMPLETIONS, Body, Task
from localspec.engine.worker import Stream
from localspec.errors import LocalspecError
from localspec.runtime import LLM, Options
from localspec.wire import answers, chat, completion
from localspec.wire.asked import Asked
from localspec.wire.errors import Refusal, document, refusal

__all__ = ["Asking", "refused"]

_READERS = {CHAT: chat.read, COMPLETIONS: completion.read}


class Asking:
    """A task in the engine's hands. `ended` is called with it at its end, on whatever thread.

    It may be called twice.
    """

    def __init__(self, llm: LLM, task: Task, ended: Callable[["Asking"], None]) -> None:
        """Begin all answers of the task or none.

        Raises Refusal or UsageError where it makes no sense, ModelError where the model's chat
        template fails on it, LocalspecError where the model has gone.
        """
        self.task = task
        self._llm, self._asked, self._ended = llm, _read(task), ended
        self._streams: list[Stream] = []
        options: Options = {**self._asked.options, "whole": True}
        self._streams = llm.streams(self._asked.prompts, self._asked.n, self._hear, **options)
        self._hear(True)  # the last word may have come before anybody listened

    def _hear(self, last: bool) -> None:
        if last and self._streams and all(stream.finished for stream in self._streams):
            self._ended(self)

    def cancel(self) -> None:
        """End it soon. What is complete by then is still good."""
        for stream in self._streams:
            stream.cancel()

    def reply(self) -> Reply | None:
        """The reply, once all has ended; None where an answer was cancelled before its end.

        Raises what ended the engine itself.
        """
        try:
            for stream in self._streams:
                for _ in stream:
                    pass
        except LocalspecError as error:
            return refused(self.task, error)
        given = [stream.answer for stream in self._streams]
        if any(answer.finish_reason == "cancelled" for answer in given):
            return None
        statistics = [answer.statistics for answer in given]
        effort = Effort(
            prompt=sum(s.prompt_tokens for s in statistics),
            completion=sum(s.completion_tokens for s in statistics),
            drafted=sum(s.draft_tokens for s in statistics),
            accepted=sum(s.accepted_tokens for s in statistics),
            read=sum(s.prompt_tokens - s.cached_tokens for s in statistics),
        )
        name, asked = self._llm.target.name, self._asked
        if self.task.url == CHAT:
            made: Any = answers.chat_completion(name, given)
        else:
            made = answers.completion(name, given, n=asked.n)
        return Reply(self.task, OK, _settled(msgspec.to_builtins(made), self.task), effort)


def _read(task: Task) -> Asked:
    if task.url not in _READERS:
        raise Refusal(
            f"There is no {task.url[:40]} here; ask {CHAT} or {COMPLETIONS}.",
            status=404,
            code="unknown_url",
        )
    return _READERS[task.url](task.body.encode())


def refused(task: Task, error: LocalspecError) -> Reply:
    """The reply to a task that cannot be answered. Nobody is a stranger here, so all is told."""
    told = refusal(error)
    return Reply(task, told.status, {"error": document(told)["error"] | {"message": str(error)}})


def _settled(body: Body, task: Task) -> Body:
    """A body without what differs from run to run."""
    kind = body["id"].partition("-")[0]
    body |= {"id": f"{kind}-{task.identity}", "created": 0}
    del body["timings"], body["usage"]["prompt_tokens_details"]
    for choice in body["choices"]:
        for i, call in enumerate(choice.get("message", {}).get("tool_calls", ())):
            call["id"] = f"call_{task.identity}-{choice['index']}-{i}"
    return body
