"""What a model is asked, as tokens, whatever form it comes in."""

import pytest
from byte_templates import BOS, CHATML, END, START, Bytes, spelled

from localspec.conversation.prompts import Prompts
from localspec.errors import ModelError, UsageError

ASKED = [START, "user\nHi<s>", END, "\n", START, "assistant\n"]


def test_text_is_what_a_user_says() -> None:
    prompts = Prompts("m", Bytes(), CHATML)
    conversation = [{"role": "user", "content": "Hi<s>"}]
    assert spelled(prompts.tokens("Hi<s>")) == spelled(prompts.tokens(conversation)) == ASKED


@pytest.mark.parametrize(("template", "raw"), [(CHATML, True), (None, False), (None, True)])
def test_or_is_gone_on_with_as_it_is(template: str | None, raw: bool) -> None:
    for adds_bos, begin in ((True, [BOS]), (False, [])):
        prompts = Prompts("m", Bytes(adds_bos=adds_bos), template)
        assert spelled(prompts.tokens("Hi<s>", raw=raw)) == [*begin, "Hi<s>"]


def test_tokens_are_gone_on_with_where_the_model_has_them() -> None:
    prompts = Prompts("m", Bytes(), None)
    assert prompts.tokens([72, END]) == [72, END]
    with pytest.raises(UsageError, match="There is no token 300; m has 262"):
        prompts.tokens([72, 300])


def test_conversations_need_a_template_that_works() -> None:
    with pytest.raises(UsageError, match="m has no usable chat template"):
        Prompts("m", Bytes(), None).tokens([{"role": "user", "content": "Hi"}])
    with pytest.raises(ModelError, match="chat template does not work"):
        Prompts("m", Bytes(), "{% if %}")


def test_what_only_the_template_knows_comes_to_it_whatever_its_name() -> None:
    prompts = Prompts("m", Bytes(), "{{ raw }}{{ prompt }}{{ messages[0].content }}")
    assert spelled(prompts.tokens("!", extra={"raw": 1, "prompt": 2})) == ["12!"]
