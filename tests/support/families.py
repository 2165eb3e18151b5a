"""Templates in the manner of many models, as far as calls go, and what those models say."""

import json
from dataclasses import dataclass
from typing import Any

from byte_templates import Bytes

from localspec.conversation.calling.notation import HERMES, Calling
from localspec.conversation.prompts import Prompts

PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "deep": {"type": "object"},
        "sure": {"type": "boolean"},
        "kind": {"enum": ["rain", "sun"]},
    },
}
TOOLS = [{"function": {"name": name, "parameters": PARAMETERS}} for name in ("get", "get_all")]
ONE = ("get_all", {"city": 'Bern, "CH"', "days": 3, "sure": True})
OTHER = ("get", {"city": "7", "deep": {"a": [1, None]}})


@dataclass(frozen=True)
class Family:
    """How its template writes an answer's calls, and what the model says."""

    name: str
    calls: str
    said: str
    also: tuple[str, ...] = ()
    """What it says instead now and then."""
    leaves_out: tuple[str, ...] = ()
    """And what of that it forgets."""
    special: tuple[str, ...] = ()
    several: bool = True

    def __str__(self) -> str:
        return self.name

    @property
    def source(self) -> str:
        return (
            "{{ tools }}{% for m in messages %}<|im_start|>{{ m.role }}\n"
            f"{{{{ m.content or '' }}}}{{% if m.tool_calls %}}{self.calls}{{% endif %}}<|im_end|>\n"
            "{% endfor %}"
        )

    @property
    def ways(self) -> list[str]:
        """All that it says to make the same calls."""
        shorter = (self.said.replace(text, "", 1) for text in self.leaves_out)
        return [self.said, *self.also, *shorter]

    @property
    def expected(self) -> dict[str, Any]:
        """Arguments of the functions that are called."""
        return dict([ONE, OTHER] if self.several else [ONE])

    def calling(self) -> Calling:
        vocabulary = Bytes()
        vocabulary.special |= {text: 300 + i for i, text in enumerate(self.special)}
        calling = Prompts("it", vocabulary, self.source).calling(TOOLS)
        assert calling
        return calling


EACH = "{% for c in m.tool_calls %}{% set f = c.function %}"
TAGGED = EACH + "CALL{% for k, v in f.arguments.items() %}ARGUMENT{% endfor %}DONE{% endfor %}"
VALUE = "{{ v if v is string else v|tojson }}"


def tagged(call: str, argument: str, done: str) -> str:
    argument = argument.replace("VALUE", VALUE).replace("KEY", "{{ k }}")
    whole = TAGGED.replace("CALL", call).replace("ARGUMENT", argument).replace("DONE", done)
    return whole.replace("NAME", "{{ f.name }}")


JSON = '{"name": "{{ f.name }}", "arguments": {{ f.arguments|tojson }}}'
COMMA = "{{ ', ' if not loop.last }}{% endfor %}"
A, B = (json.dumps(arguments) for _, arguments in (ONE, OTHER))
LISTED = f'[{{"name": "get_all", "arguments": {A}}}, {{"name": "get", "arguments": {B}}}]'
LLAMA = f'{{"name": "get_all", "parameters": {A}}}'
HARMONY = f"to=functions.get_all <|constrain|>json<|message|>{A}"
FAMILIES = [
    Family(
        "Qwen",
        "{% for c in m.tool_calls %}\n<tool_call>\n" + JSON.replace("f.", "c.function.")
        + "\n</tool_call>{% endfor %}",
        HERMES.written(("get_all", A), ("get", B)),
        also=(HERMES.written(("get_all", A), ("get", B)).replace("\n", ""),),
    ),
    Family(
        "Llama 3",
        "{% if m.tool_calls|length > 1 %}{{ raise_exception('one') }}{% endif %}" + EACH
        + JSON.replace("arguments\":", "parameters\":") + "{% endfor %}",
        LLAMA,
        also=(
            f"<|python_tag|>{LLAMA}",
            LLAMA.replace("{", '{"type": "function", ', 1),
            LLAMA.replace('{"name"', '\n{ "name"'),
        ),
        special=("<|python_tag|>",),
        several=False,
    ),
    Family(
        "One that prints arguments",
        "{% for c in m.tool_calls %}<call>{{ c.function.name }}: {{ c.function.arguments }}</call>{% endfor %}",
        f"<call>get_all: {A}</call><call>get: {B}</call>",
    ),
    Family("Mistral", f"[TOOL_CALLS][{EACH}{JSON}{COMMA}]", f"[TOOL_CALLS]{LISTED}"),
    Family(
        "Mistral Nemo",
        f"[TOOL_CALLS][{EACH}{JSON[:-1]}, \"id\": \"{{{{ c.id }}}}\"}}{COMMA}]",
        "[TOOL_CALLS]" + LISTED.replace("}}, {", '}, "id": "aB3"}, {')[:-2] + ', "id": "cD4"}]',
    ),
    Family(
        "Devstral",
        EACH + "[TOOL_CALLS]{{ f.name }}[ARGS]{{ f.arguments|tojson }}{% endfor %}",
        f"[TOOL_CALLS]get_all[ARGS]{A}[TOOL_CALLS]get[ARGS]{B}",
    ),
    Family(
        "Mistral Small 3.2",
        EACH + "[TOOL_CALLS]{{ f.name }}[CALL_ID]{{ c.id }}[ARGS]{{ f.arguments|tojson }}"
        "{% endfor %}",
        f"[TOOL_CALLS]get_all[CALL_ID]x1[ARGS]{A}[TOOL_CALLS]get[CALL_ID]x2[ARGS]{B}",
    ),
    Family(
        "Nemotron", f"<TOOLCALL>[{EACH}{JSON}{COMMA}]</TOOLCALL>", f"<TOOLCALL>{LISTED}</TOOLCALL>"
    ),
    Family("Granite 3", "{# <|tool_call|> #}", f"<|tool_call|>{LISTED}"),
    Family(
        "Phi 4 mini", "", f"<|tool_call|>{LISTED}<|/tool_call|>",
        special=("<|tool_call|>", "<|/tool_call|>"),
    ),
    Family(
        "Apertus",
        f"<|tools_prefix|>[{EACH}{{% raw %}}{{{{% endraw %}}\"{{{{ f.name }}}}\": "
        f"{{{{ f.arguments|tojson }}}}}}{COMMA}]<|tools_suffix|>",
        f'<|tools_prefix|>[{{"get_all": {A}}}, {{"get": {B}}}]<|tools_suffix|>',
    ),
    Family(
        "Command R7B",
        f"<|START_ACTION|>[{EACH}\n    {{\"tool_call_id\": \"{{{{ loop.index0 }}}}\", "
        "\"tool_name\": \"{{ f.name }}\", \"parameters\": {{ f.arguments|tojson }}}"
        "{{ ',' if not loop.last }}{% endfor %}\n]<|END_ACTION|>",
        f'<|START_ACTION|>[\n    {{"tool_call_id": "0", "tool_name": "get_all", "parameters": {A}}}'
        f',\n    {{"tool_call_id": "1", "tool_name": "get", "parameters": {B}}}\n]<|END_ACTION|>',
    ),
    Family(
        "Kimi K2",
        f"<|tool_calls_section_begin|>{EACH}<|tool_call_begin|>functions.{{{{ f.name }}}}:"
        "{{ loop.index0 }}<|tool_call_argument_begin|>{{ f.arguments|tojson }}<|tool_call_end|>"
        "{% endfor %}<|tool_calls_section_end|>",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_all:0"
        f"<|tool_call_argument_begin|>{A}<|tool_call_end|><|tool_call_begin|>functions.get:1<|tool_call_argument_begin|>{B}"
        "<|tool_call_end|><|tool_calls_section_end|>",
        leaves_out=("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
    ),
    Family(
        "DeepSeek V3.1",
        f"<｜tool▁calls▁begin｜>{EACH}<｜tool▁call▁begin｜>{{{{ f.name }}}}<｜tool▁sep｜>"
        "{{ f.arguments|tojson }}<｜tool▁call▁end｜>{% endfor %}<｜tool▁calls▁end｜>",
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_all<｜tool▁sep｜>{A}<｜tool▁call▁end｜>"
        f"<｜tool▁call▁begin｜>get<｜tool▁sep｜>{B}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ),
    Family(
        "DeepSeek R1",
        f"<｜tool▁calls▁begin｜>{EACH}{{{{ '\n' if not loop.first }}}}<｜tool▁call▁begin｜>function"
        "<｜tool▁sep｜>{{ f.name }}\n```json\n{{ f.arguments|tojson }}\n```<｜tool▁call▁end｜>"
        "{% endfor %}<｜tool▁calls▁end｜>",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_all\n```json\n"
        f"{A}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>get\n```json\n{B}\n```"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ),
    Family(
        "DeepSeek V3.2",
        "<｜DSML｜calls>\n" + tagged(
            '<｜DSML｜invoke name="NAME">\n',
            '<｜DSML｜parameter name="KEY" string="{{ "true" if v is string else "false" }}">VALUE'
            "</｜DSML｜parameter>\n",
            "</｜DSML｜invoke>\n",
        ) + "</｜DSML｜calls>",
        '<｜DSML｜calls>\n<｜DSML｜invoke name="get_all">\n<｜DSML｜parameter name="city" string="true">'
        'Bern, "CH"</｜DSML｜parameter>\n<｜DSML｜parameter name="days" string="false">3</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="sure" string="false">true</｜DSML｜parameter>\n</｜DSML｜invoke>\n'
        '<｜DSML｜invoke name="get">\n<｜DSML｜parameter name="city" string="true">7</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="deep" string="false">{"a": [1, null]}</｜DSML｜parameter>\n'
        "</｜DSML｜invoke>\n</｜DSML｜calls>",
    ),
    Family(
        "Qwen 3 Coder",
        tagged(
            "\n<tool_call>\n<function=NAME>\n",
            "<parameter=KEY>\nVALUE\n</parameter>\n",
            "</function>\n</tool_call>",
        ),
        "<tool_call>\n<function=get_all>\n<parameter=city>\nBern, \"CH\"\n</parameter>\n<parameter=days>\n"
        "3\n</parameter>\n<parameter=sure>\nTrue\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n"
        "<function=get>\n<parameter=city>\n7\n</parameter>\n<parameter=deep>\n{\"a\": [1, null]}\n"
        "</parameter>\n</function>\n</tool_call>",
        leaves_out=("<tool_call>\n",),
    ),
    Family(
        "GLM 4.6",
        tagged(
            "\n<tool_call>NAME\n",
            "<arg_key>KEY</arg_key>\n<arg_value>VALUE</arg_value>\n",
            "</tool_call>",
        ),
        "<tool_call>get_all\n<arg_key>city</arg_key>\n<arg_value>Bern, \"CH\"</arg_value>\n<arg_key>days"
        "</arg_key>\n<arg_value>3</arg_value>\n<arg_key>sure</arg_key>\n<arg_value>true</arg_value>\n"
        "</tool_call>\n<tool_call>get\n<arg_key>city</arg_key>\n<arg_value>7</arg_value>\n<arg_key>deep"
        "</arg_key>\n<arg_value>{\"a\": [1, null]}</arg_value>\n</tool_call>",
        leaves_out=("\n", "</tool_call>"),
    ),
    Family(
        "MiniMax M3",
        "<calls>" + tagged('\n]!<invoke name="NAME">', "]!<KEY>VALUE]!</KEY>", "]!</invoke>") + "\n</calls>",
        '<calls>\n]!<invoke name="get_all">]!<city>Bern, "CH"]!</city>]!<days>3]!</days>]!<sure>true]!</sure>'
        ']!</invoke>\n]!<invoke name="get">]!<city>7]!</city>]!<deep>{"a": [1, null]}]!</deep>]!</invoke>'
        "\n</calls>",
    ),
    Family(
        "Functionary 3.1",
        EACH + "<function={{ f.name }}>{{ f.arguments|tojson }}</function>{% endfor %}",
        f"<function=get_all>{A}</function><function=get>{B}</function>",
    ),
    Family(
        "Firefunction",
        f" functools[{EACH}{JSON}{COMMA}]",
        f" functools{LISTED}",
    ),
    Family(
        "LFM 2",
        "<|tool_call_start|>[" + EACH + "{{ f.name }}({% for k, v in f.arguments.items() %}{{ k }}="
        "{% if v is string %}'{{ v }}'{% else %}{{ v }}{% endif %}{{ ', ' if not loop.last }}{% endfor %})"
        + COMMA + "]<|tool_call_end|>",
        "<|tool_call_start|>[get_all(city='Bern, \"CH\"', days=3, sure=True), "
        'get(city="7", deep={\'a\': [1, None]})]<|tool_call_end|>',
    ),
    Family(
        "Gemma 4",
        EACH + "<|tool_call>call:{{ f.name }}{{ '{' }}{% for k, v in f.arguments|dictsort %}{{ k }}:"
        "{% if v is string %}<|\"|>{{ v }}<|\"|>{% else %}{{ v }}{% endif %}{{ ',' if not loop.last }}"
        "{% endfor %}{{ '}' }}<tool_call|>{% endfor %}",
        '<|tool_call>call:get_all{city:<|"|>Bern, "CH"<|"|>,days:3,sure:true}<tool_call|>'
        '<|tool_call>call:get{city:<|"|>7<|"|>,deep:{a:[1,null]}}<tool_call|>',
    ),
    Family(
        "gpt-oss",
        "{# commentary #}" + EACH + "to=functions.{{ f.name }}{% endfor %}",
        f"<|channel|>commentary {HARMONY}",
        also=(
            f" to=functions.get_all<|channel|>commentary json<|message|>{A}",
            f"<|channel|>commentary to=functions.get_all<|message|>{A}",
        ),
        special=("<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|constrain|>"),
        several=False,
    ),
]  # fmt: skip
