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


@pytest.mark.parametrize(("adds_bos", "begin"), [(True, [BOS]), (False, [])])
def test_or_is_gone_on_with_where_there_is_no_template(adds_bos: bool, begin: list[int]) -> None:
    prompts = Prompts("m", Bytes(adds_bos=adds_bos), None)
    assert spelled(prompts.tokens("Hi<s>")) == [*begin, "Hi<s>"]


@pytest.mark.parametrize("template", [CHATML, None])
@pytest.mark.parametrize(("adds_bos", "begin"), [(True, [BOS]), (False, [])])
def test_raw_text_may_hold_control_tokens(
    template: str | None, adds_bos: bool, begin: list[int]
) -> None:
    """Editors write the marks of a model's infilling, others its template, into a prompt."""
    prompts = Prompts("m", Bytes(adds_bos=adds_bos), template)
    spoken = [START, "user\nHi", END]
    assert spelled(prompts.tokens("<|im_start|>user\nHi<|im_end|>", raw=True)) == [*begin, *spoken]
    assert spelled(prompts.tokens("<s>Hi", raw=True)) == [BOS, "Hi"], "it begins once"


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
