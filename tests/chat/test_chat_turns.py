"""The chat as a person meets it: a question, its answer, and what is seen of it meanwhile."""

from scripted import (
    HELLO,
    ScriptedBackend,
    ScriptedSource,
    ask,
    begin,
    chatting,
    driven,
    new_store,
    on_screen,
    settled,
    wait_until,
)

from localspec.errors import LocalspecError
from localspec.tui.backend import Said
from localspec.tui.widgets.message import Answer


@driven
async def test_a_question_is_answered_and_both_are_kept() -> None:
    backend = ScriptedBackend(HELLO)
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Say hello")
        assert "Hello there!" in on_screen(chat)
        assert "1.51× plain (121)" in on_screen(chat)
        assert backend.asked[0][0] == [{"role": "user", "content": "Say hello"}]
        (summary,) = chat.session.store.summaries()
        assert summary.title == "Say hello"
        question, answer = chat.session.store.tree(summary.id).path()
        assert (question.content, answer.content) == ("Say hello", "Hello there!")
        assert answer.origins == ((5, "model"), (6, "lookup"), (1, None))
        assert (answer.finish_reason, answer.seed, answer.model) == ("stop", 7, "scripted-8b-q4")


@driven
async def test_a_second_question_takes_the_conversation_along() -> None:
    backend = ScriptedBackend(HELLO, [Said("<think>hm, yes</think>\n\nYes.")], HELLO)
    async with chatting(backend) as (chat, pilot):
        for text in ("Hi", "Sure?", "Really?"):
            await ask(chat, pilot, text)
        assert [words["content"] for words in backend.asked[2][0]] == [
            "Hi", "Hello there!", "Sure?", "Yes.", "Really?",
        ]  # fmt: skip


@driven
async def test_an_answer_is_seen_and_kept_while_it_comes() -> None:
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "Count")
        reply.say("one", " two")
        await wait_until(pilot, lambda: "one two" in on_screen(chat))
        await wait_until(pilot, lambda: "tokens/s" in on_screen(chat))
        conversation = chat.session.conversation
        assert conversation is not None
        await wait_until(
            pilot, lambda: chat.session.store.tree(conversation).path()[-1].content == "one two"
        )
        assert chat.session.store.tree(conversation).path()[-1].finish_reason is None


MARKDOWN = """
Files can be *sorted*
====

1. `ls -lS` looks at **one** folder

2. `du` looks below:

   ```sh
   du -sh * | sort -h
   ```

| command | sorts |
|---|---|
| `ls` | yes |

> said by [someone][1]

[1]: /there
"""


@driven
async def test_an_answer_that_came_bit_by_bit_looks_like_one_that_came_at_once() -> None:
    backend = ScriptedBackend()
    async with chatting(backend, size=(80, 40)) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "How?")
        for at in range(0, len(MARKDOWN), 150):
            reply.say(MARKDOWN[at : at + 150])
            said = MARKDOWN[: at + 150]
            await wait_until(pilot, lambda said=said: chat.session.tree.path()[-1].content == said)  # type: ignore[misc]
        reply.end()
        await wait_until(pilot, lambda: chat.conversation.running is None)
        await wait_until(pilot, lambda: "said by someone" in on_screen(chat))
        streamed = await settled(chat, pilot)
        assert any("du -sh * | sort -h" in line for line in streamed)
        await chat.show_conversation()
        await wait_until(pilot, lambda: "said by someone" in on_screen(chat))
        assert await settled(chat, pilot) == streamed


@driven
async def test_escape_stops_and_keeps_what_has_come() -> None:
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "Count")
        reply.say("one two")
        await wait_until(pilot, lambda: "one two" in on_screen(chat))
        assert "esc stop" in on_screen(chat)
        await pilot.press("escape")
        await wait_until(pilot, lambda: not chat.session.running)
        await wait_until(pilot, lambda: "stopped" in on_screen(chat))
        assert reply.cancelled
        assert chat.session.tree.path()[-1].content == "one two"
        await wait_until(pilot, lambda: "esc stop" not in on_screen(chat))


@driven
async def test_what_failed_is_told_and_the_next_question_goes_on_without_it() -> None:
    backend = ScriptedBackend(LocalspecError("The context is full; begin anew."), HELLO)
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "A very long question")
        assert "The context is full; begin anew." in on_screen(chat)
        assert "failed" in on_screen(chat)
        await ask(chat, pilot, "A short one")
        assert backend.asked[1][0] == [{"role": "user", "content": "A short one"}]
        assert "The context is full" not in on_screen(chat)


@driven
async def test_a_question_waits_for_the_model() -> None:
    backend = ScriptedBackend(HELLO)
    source = ScriptedSource(good=backend)
    async with chatting(source=source, model="bad", loaded=False) as (chat, pilot):
        await wait_until(pilot, lambda: "There is no model 'bad'" in on_screen(chat))
        assert "no model" in on_screen(chat)
        await ask(chat, pilot, "Anyone?", answered=False)
        assert "Anyone?" in on_screen(chat)
        assert "There is no model 'bad'" in on_screen(chat), "the reason stays"
        await ask(chat, pilot, "/model good", answered=False)
        await wait_until(pilot, lambda: "Hello there!" in on_screen(chat))
        assert source.opened == [("bad", "auto"), ("good", "auto")]
        assert "There is no model" not in on_screen(chat)


@driven
async def test_the_reader_is_left_alone_further_up() -> None:
    backend = ScriptedBackend()
    async with chatting(backend, size=(80, 20)) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "Count")
        reply.say(*(f"line {n}\n\n" for n in range(30)))
        await wait_until(pilot, lambda: "line 29" in on_screen(chat))
        chat.conversation.scroll_home(animate=False)
        await wait_until(pilot, lambda: "line 29" not in on_screen(chat))
        reply.say("line 30\n\n")
        await wait_until(pilot, lambda: "line 30" in chat.session.tree.path()[-1].content)
        await pilot.pause(0.3)
        assert "line 30" not in on_screen(chat)
        chat.conversation.scroll_end(animate=False)
        reply.say("line 31\n\n")
        await wait_until(pilot, lambda: "line 31" in on_screen(chat))


@driven
async def test_thoughts_are_folded_and_can_be_read() -> None:
    backend = ScriptedBackend([Said("<think>Let me see now</think>\n\nForty-two.")])
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "What is it?")
        assert "▸ thought for 4 words" in on_screen(chat)
        assert "Let me see now" not in on_screen(chat)
        chat.query_one(Answer).focus()
        await pilot.press("space")
        await wait_until(pilot, lambda: "Let me see now" in on_screen(chat))


@driven
async def test_an_answer_goes_on_while_something_lies_over_it() -> None:
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "Count")
        await pilot.press("f1")
        await wait_until(pilot, lambda: "commands and keys" in on_screen(chat))
        reply.say("one two")
        await wait_until(pilot, lambda: "one two" in chat.session.tree.path()[-1].content)
        await pilot.pause(0.2)
        reply.end()
        await wait_until(pilot, lambda: not chat.session.running)
        await pilot.press("escape")
        await wait_until(pilot, lambda: "one two" in on_screen(chat))


@driven
async def test_an_answer_that_was_cut_off_says_so() -> None:
    store = new_store()
    id = store.begin("x")
    question = store.say(id, None, "user", "Well?")
    store.say(id, question.id, "assistant", "It is")
    async with chatting(store=store, resume=True) as (chat, _):
        assert "cut off: the program ended" in on_screen(chat)
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Well?", answered=False)
        await wait_until(pilot, lambda: "reading the prompt" in on_screen(chat))
        assert "cut off" not in on_screen(chat)


@driven
async def test_another_model_ends_an_answer_and_gives_the_next() -> None:
    first, second = ScriptedBackend(), ScriptedBackend([Said("from the second")], name="second")
    async with chatting(source=ScriptedSource(scripted=first, other=second)) as (chat, pilot):
        reply = await begin(chat, pilot, first, "Count")
        reply.say("one two")
        await wait_until(pilot, lambda: "one two" in on_screen(chat))
        await ask(chat, pilot, "/model other", answered=False)
        await wait_until(pilot, lambda: chat.session.backend is second)
        await wait_until(pilot, lambda: "stopped" in on_screen(chat))
        await ask(chat, pilot, "And you?")
        assert "from the second" in on_screen(chat)
