"""The chat against this server, with the figures that it gives."""

from scripted import ask, driven, new_store, on_screen, wait_until

from localspec.tui.app import Chat
from localspec.tui.server import There


@driven
async def chat_with(url: str) -> None:
    chat = Chat(new_store(), There(url), model="")
    async with chat.run_test(size=(120, 30)) as pilot:
        await wait_until(pilot, lambda: chat.session.backend, "a model")
        assert url in on_screen(chat)
        chat.session.choices = {"temperature": 0.0, "seed": 7, "max_tokens": 8}
        await ask(chat, pilot, "How do I list files by size?")
        await ask(chat, pilot, "And in a folder below?")
        _, first, _, second = chat.session.tree.path()
        assert first.content
        assert first.figures
        assert second.figures
        first_figures, s = first.figures.statistics, second.figures.statistics
        assert second.figures.counted
        assert first_figures.completion_tokens >= first_figures.predicted_tokens > 0
        assert first_figures.predicted_seconds > 0
        assert s.prompt_tokens > s.cached_tokens > first_figures.cached_tokens
        assert f"{s.cached_tokens:,} of {s.prompt_tokens:,} cached" in on_screen(chat)
        assert ("held" in on_screen(chat)) == bool(s.draft_tokens + first_figures.draft_tokens)


def test_a_conversation_through_the_server(url: str) -> None:
    chat_with(url)
