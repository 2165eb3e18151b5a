"""Fragments of chat templates in the manner of well-known models."""

import pytest
from byte_templates import (
    BOS,
    END,
    EOS,
    START,
    Bytes,
    rendered,
    spelled,
    written,
)

from localspec.conversation.template import ChatTemplate
from localspec.errors import UsageError


def test_llama_3() -> None:
    source = """
        {{- bos_token }}
        {%- if messages[0]['role'] == 'system' %}
            {%- set system_message = messages[0]['content']|trim %}
            {%- set messages = messages[1:] %}
        {%- else %}
            {%- set system_message = "" %}
        {%- endif %}
        {{- "<|im_start|>system\\n" + system_message + "<|im_end|>" }}
        {%- for message in messages %}
            {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim }}
            {{- '<|im_end|>' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|im_start|>assistant\\n' }}
        {%- endif %}"""
    messages = [
        {"role": "system", "content": " Be kind. "},
        {"role": "user", "content": "Hi\n"},
    ]
    assert spelled(ChatTemplate(source, Bytes(adds_bos=True)).render(messages)) == [
        *(BOS, START, "system\nBe kind.", END),
        *(START, "user\nHi", END),
        *(START, "assistant\n"),
    ]


def test_qwen_3() -> None:
    source = """
        {%- set ns = namespace(seeking=true, last_query=messages|length - 1) %}
        {%- for message in messages[::-1] %}
            {%- set index = (messages|length - 1) - loop.index0 %}
            {%- if ns.seeking and message.role == "user" and message.content is string
                and not(message.content.startswith('<tool_response>')
                and message.content.endswith('</tool_response>')) %}
                {%- set ns.seeking = false %}
                {%- set ns.last_query = index %}
            {%- endif %}
        {%- endfor %}
        {%- for message in messages %}
            {%- set content = message.content if message.content is string else '' %}
            {%- if '</think>' in content and message.role == 'assistant' %}
                {%- set reasoning = content.split('</think>')[0].rstrip('\\n') %}
                {%- set reasoning = reasoning.split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
                {%- if loop.index0 > ns.last_query %}
                    {%- set content = '<think>' ~ reasoning ~ '</think>' ~ content %}
                {%- endif %}
            {%- endif %}
            {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' }}
        {%- endfor %}"""
    thought = "<think>\n5 < 6\n</think>\n\nYes"
    assert rendered(source, "Well?", thought, "Sure?", thought) == [
        *(START, "user\nWell?", END),
        *(START, "assistant\nYes", END),
        *(START, "user\nSure?", END),
        *(START, "assistant\n<think>5 < 6</think>Yes", END),
    ]


def test_gemma() -> None:
    source = (
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
        "{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for message in messages %}"
        "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Roles must alternate, not ' + message['role']) }}{% endif %}"
        "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
        "{{ '<|im_start|>' + role + '\n' + message['content'] | trim + '<|im_end|>\n' }}"
        "{% endfor %}"
    )
    template = ChatTemplate(source, Bytes())
    assert rendered(source, "Hi", "Ho")[-4:] == [START, "model\nHo", END, "\n"]
    alone = template.render([{"role": "system", "content": "Be kind."}])
    assert spelled(alone)[-4:] == [START, "user\nBe kind.", END, "\n"]
    with pytest.raises(UsageError, match="not <s>"):
        template.render([{"role": "<s>", "content": "Hi"}])


def test_mistral() -> None:
    source = """
        {%- set users = messages | selectattr("role", "equalto", "user") | list %}
        {%- for message in messages %}
            {%- if message.role == "user" %}
                {%- if tools is not none and message == users[-1] %}
                    {{- "[TOOLS] [" }}
                    {%- for tool in tools %}
                        {%- for key, value in tool.function.items() if key != "return" %}
                            {{- '"' + key + '": ' + value|tojson }}
                            {{- ", " if not loop.last }}
                        {%- endfor %}
                    {%- endfor %}
                    {{- "]" }}
                {%- endif %}
                {{- "[INST]" + message["content"] + "[/INST]" }}
            {%- else %}
                {{- " " + message["content"]|trim + eos_token }}
            {%- endif %}
        {%- endfor %}"""
    tool = {"function": {"name": "f", "return": "int", "parameters": {"x": "é"}}}
    assert rendered(source, "a", "b", "c", tools=[tool]) == [
        "[INST]a[/INST] b",
        EOS,
        '[TOOLS] ["name": "f", "parameters": {"x": "é"}][INST]c[/INST]',
    ]


def test_gemma_4_macros() -> None:
    source = """
        {%- macro show(value) -%}
            {%- if value is mapping -%}
                {{- '{' -}}
                {%- for key, item in value | dictsort -%}
                    {{- key }}:{{ show(item) }}{{ ',' if not loop.last }}
                {%- endfor -%}
                {{- '}' -}}
            {%- elif value is sequence and value is not string -%}
                {%- for item in value -%}{{ show(item) }};{%- endfor -%}
            {%- else -%}
                {{- value | upper -}}
            {%- endif -%}
        {%- endmacro -%}
        {{- show(messages[0].content) -}}"""
    assert written(source, {"b": ["x", {"c": "y"}], "a": "z"}) == "{a:Z,b:X;{c:Y};}"
