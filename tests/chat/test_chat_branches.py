"""Asking again and asking otherwise: branches of a conversation."""

from scripted import HELLO, ScriptedBackend, ask, begin, chatting, driven, on_screen, wait_until

from localspec.tui.backend import Said
from localspec.tui.widgets.message import Answer, Question


@driven
async def test_asking_again_makes_a_branch_and_keeps_the_old_one() -> None:
    backend = ScriptedBackend([Said("first")], [Said("second")])
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Which?")
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: "second" in on_screen(chat))
        await wait_until(pilot, lambda: "2 of 2" in on_screen(chat))
        assert "first" not in on_screen(chat)
        await pilot.press("up")  # from the prompt: what was asked before
        assert chat.prompt.text == "Which?"
        chat.query_one(Answer).focus()
        await pilot.press("left")
        await wait_until(pilot, lambda: "first" in on_screen(chat))
        assert "1 of 2" in on_screen(chat)
        assert chat.focused is chat.query_one(Answer)
        await pilot.press("right")
        await wait_until(pilot, lambda: "second" in on_screen(chat))


@driven
async def test_an_edited_question_makes_a_branch() -> None:
    backend = ScriptedBackend([Said("Paris.")], [Said("Rome.")])
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Capital of France?")
        await pilot.press("shift+tab")
        assert chat.focused is chat.query_one(Answer)
        await pilot.press("up", "e")
        assert chat.prompt.text == "Capital of France?"
        chat.prompt.put("Capital of Italy?")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "Rome." in on_screen(chat))
        assert "Paris." not in on_screen(chat)
        assert "← 2 of 2 →" in on_screen(chat)
        assert backend.asked[1][0] == [{"role": "user", "content": "Capital of Italy?"}]
        chat.query_one(Question).focus()
        await pilot.press("left")
        await wait_until(pilot, lambda: "Paris." in on_screen(chat))


@driven
async def test_escape_gives_up_editing_and_what_was_typed_comes_back() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        chat.prompt.put("half a thought")
        await pilot.pause(0.1)
        chat.query_one(Question).focus()
        await pilot.press("e")
        await pilot.press("escape")
        await wait_until(pilot, lambda: chat.prompt.text == "half a thought")


@driven
async def test_an_earlier_answer_is_not_asked_for_again_while_one_comes() -> None:
    backend = ScriptedBackend([Said("first")], None)
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Which?")
        earlier = chat.query_one(Answer)
        await begin(chat, pilot, backend, "And now?")
        earlier.focus()
        await pilot.press("r")
        await wait_until(pilot, lambda: "The answer is still coming" in on_screen(chat))
        backend.replies[-1].say("second")
        backend.replies[-1].end()
        await wait_until(pilot, lambda: not chat.session.running)
        assert [m.content for m in chat.session.tree.path()][-2:] == ["And now?", "second"]


@driven
async def test_a_question_that_looks_like_a_command_is_edited_and_recalled_as_one() -> None:
    backend = ScriptedBackend([Said("first")], [Said("second")], [Said("third")])
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "//etc is what?")
        chat.query_one(Question).focus()
        await pilot.press("e", "enter")
        await wait_until(pilot, lambda: "second" in on_screen(chat) and not chat.session.running)
    async with chatting(backend, store=chat.session.store) as (chat, pilot):
        await pilot.press("up", "enter")
        await wait_until(pilot, lambda: "third" in on_screen(chat))
    assert [words[-1]["content"] for words, _ in backend.asked] == ["/etc is what?"] * 3
