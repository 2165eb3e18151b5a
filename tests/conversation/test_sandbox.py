"""What a chat template may not do: reach beyond its values, or run, write or hoard forever."""

import threading
import time
import tracemalloc

import pytest
from byte_templates import CHATML, Bytes, rendered, written

from localspec.conversation.sandbox import Sandbox
from localspec.conversation.template import ChatTemplate
from localspec.errors import ModelError

REFUSED = [
    "''.__class__.__mro__",
    "''['__class__'].__mro__",
    "messages.__init__.__globals__",
    "messages.append(1)",
    "messages.pop()",
    "messages[0].content.append(1)",
    "{'tools': [1]}['tools'].append(1)",
    "'{}'.format(messages)",
    "'{:{}}'.format('a', 9)",
    "messages[0].update({'role': 'x'})",
    "namespace.__init__.__globals__",
    "cycler.__init__.__globals__",
    "lipsum.__globals__",
    "raise_exception.__globals__.os",
    "range.__class__.__base__",
    "self._TemplateReference__context.environment",
    "''|attr('__class__')",
    "'{0.__class__}'.format(1)",
    "'{0.__class__}'.format_map({})",
    "(1).__class__.__subclasses__()",
    "'a'.encode('utf-8')",
    "(1).to_bytes(1000000000, 'big')",
    "dict.fromkeys([1])",
    "'%99999999d' % 1",
    "'%99999999d' is even",
    "'%99999999d'|format(1)",
    "'{:>1000000000}'.format(1)",
    "'x'.ljust(10**9)",
    "'x'|center(10**9)",
    "[1]|batch(10**9, 'x')|list",
    "strftime_now('%c' * 1000)",
]


@pytest.mark.parametrize("expression", REFUSED)
def test_templates_have_what_they_need_and_no_more(expression: str) -> None:
    with pytest.raises(
        ModelError, match=r"\((access to|No filter|formatting|a list that|'\w+' is un|a date)"
    ):
        rendered("{{ " + expression + " }}", ["Hi"])


@pytest.mark.parametrize(
    "steps",
    [
        "{% set y = [x, x] %}{% set _ = x.append(1) %}",
        "{% set y = {'x': x} %}{% set _ = x.pop() %}",
        "{% set y = [] %}{% set _ = y.append(x) %}{% set _ = x.append(1) %}",
        "{% set _ = x.append(x) %}",
        "{% for item in [[x], [x]] %}{% set _ = x.append(1) %}{% endfor %}",
        "{% macro m() %}{% set _ = varargs[0].append(1) %}{% endmacro %}{{ m(x) }}",
    ],
)
def test_no_list_changes_that_is_part_of_something_else(steps: str) -> None:
    with pytest.raises(ModelError, match="part of something else"):
        written("{% set x = [1] %}" + steps)


def growing(step: str, first: str = "'ab'") -> str:
    """A template that goes by `step` from one `ns.x`, here `y`, to the next."""
    begin = "{% set ns = namespace(x=" + first + ") %}{% for i in range(99) %}{% set y = ns.x %}"
    return begin + step + "{% endfor %}{{ ns.x }}"


def looping(body: str, over: str = "range(99999)") -> str:
    return "{% for a in " + over + " %}" + body + "{% endfor %}"


A_LOT = "{% set a = 'a' * 4000000 %}"
ENDLESS = {
    "loops": looping(looping("")),
    "loops that write": looping(looping("Ha! ")),
    "loops that write a lot": looping("Ha! " * 15000, "range(9999)"),
    "loops over text": A_LOT + looping(looping("", "a"), "a"),
    "loops over nothing": looping("", "range(99999) if false") * 99,
    "macros": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}"
    "{{ m(99) }}",
    "text times": "{{ 'a' * 10**9 }}",
    "times text": "{{ 1000000000 * 'a' }}",
    "list times": "{{ [1] * 10**9 }}",
    "power": "{{ 10 ** (10 ** 10) }}",
    "squares": growing("{% set ns.x = y * y %}", "3"),
    "quotients": "{{ ('f' * 1000000)|int(base=16) // ('f' * 500000)|int(base=16) }}",
    "indent": "{{ 'a'|indent(10**9, true) }}",
    "indent lines": "{{ ('\n' * 4000000)|indent(99) }}",
    "json indent": "{{ [[1]]|tojson(indent=10**9) }}",
    "json separators": "{{ ([1] * 9999)|tojson(separators=('a' * 99999, ':')) }}",
    "round": "{{ 5|round(-10**9) }}",
    "replace": A_LOT + "{{ a|replace('', a) }}",
    "join": A_LOT + "{{ range(9999)|join(a) }}",
    "join method": A_LOT + "{{ a.join(['b'] * 999) }}",
    "format": A_LOT + "{{ ('{}' * 99).format(*[a] * 99) }}",
    "split": "{{ ('ab,' * 100000).split(',') }}",
    "list": A_LOT + "{{ a|list }}",
    "strip": "{{ ('a' * 4000000).strip('b' * 4000000 ~ 'a') }}",
    "rfind": "{{ ('a' * 4000000).rfind('b' ~ 'a' * 2000000) }}",
    "title": "{{ ('a ' * 2000000)|title }}",
    "long path": "{{ (['a'] * 9999)|sort(attribute='0.' * 99999 ~ '0') }}",
    "same hashes": "{{ range(0, 99999 * (2**61 - 1), 2**61 - 1)|unique|list }}",
    "growing by ~": growing("{% set ns.x = y ~ y %}"),
    "growing by +": growing("{% set ns.x = y + y %}"),
    "growing by block": growing("{% set t %}{{ y }}{{ y }}{% endset %}{% set ns.x = t %}"),
    "growing by macro": growing(
        "{% macro m(t) %}{{ t }}{{ t }}{% endmacro %}{% set ns.x = m(y) %}"
    ),
    "growing by join": growing("{% set ns.x = [y, y]|join %}"),
    "growing by replace": growing("{% set ns.x = y|replace('a', y) %}"),
    "growing by method": growing("{% set ns.x = y.replace('b', y) %}"),
    "growing by filter block": growing(
        "{% set t %}{% filter replace('a', y) %}{{ y }}{% endfilter %}{% endset %}"
        "{% set ns.x = t %}"
    ),
    "twins in lists": growing("{% set ns.x = [y, y] %}"),
    "twins in sums": growing("{% set ns.x = [y] + [y] %}"),
    "twins in tuples": growing("{% set ns.x = (y, y) %}", "(1,)") + "{{ {ns.x: 1} }}",
    "twins in dicts": growing("{% set ns.x = {'a': y, 'b': y} %}") + "{{ ns.x|tojson }}",
    "twins in views": growing("{% set d = {'a': y} %}{% set ns.x = [d.items()] * 2 %}"),
    "twins in arguments": growing(
        "{% macro m() %}{% set ns.x = varargs %}{% endmacro %}{{ m(y, y) }}"
    ),
    "twins by default": growing("{% set ns.x = range(2)|map(attribute='z', default=y)|list %}"),
    "twins by appending": growing(
        "{% set z = [] %}{% set _ = z.append(y) %}{% set _ = z.append(y) %}{% set ns.x = z %}",
        "[1]",
    ),
    "appending": "{% set x = [] %}" + looping(looping("{% set _ = x.append(1) %}")),
    "appending a lot": A_LOT + "{% set x = [] %}" + looping("{% set _ = x.append(a) %}"),
    "looping over what grows": "{% set x = [1] %}" + looping("{% set _ = x.append(1) %}", "x"),
    "appending depth": growing("{% set z = [] %}{% set _ = z.append(y) %}{% set ns.x = z %}", "[]"),
    "depth": growing("{% set ns.x = (y,) %}"),
    "hoarding lists": growing("{% set ns.x = namespace(x=y, t=['a'] * 20000) %}"),
    "hoarding items": "{% set d = {"
    + ", ".join(f"{i}: 1" for i in range(2000))
    + "} %}"
    + looping("{% set x = d.items() %}"),
    "hoarding": growing("{% set ns.x = namespace(x=y, t='a' * 4000000) %}"),
    "hoarding slices": A_LOT + growing("{% set ns.x = namespace(x=y, t=a[1:]) %}"),
}


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_every_template_comes_to_an_end(source: str) -> None:
    tracemalloc.start()
    try:
        began = time.process_time()
        with pytest.raises(ModelError, match="without end"):
            ChatTemplate(source, Bytes(), seconds=0.3).render([])
        assert time.process_time() - began < 2
        assert tracemalloc.get_traced_memory()[1] < 150e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "source",
    [
        "{{ a }}" * 9000,
        "".join(f"{{% if a %}}{{% set b{i} = a %}}{{% endif %}}" for i in range(1500)),
        "{% if a %}" * 90 + "{{ a }}" * 8000 + "{% endif %}" * 90,
        "{% for a in a %}" * 18 + "{{ a }}" * 8000 + "{% endfor %}" * 18,
    ],
)
def test_so_does_compiling_one(source: str) -> None:
    began = time.process_time()
    with pytest.raises(ModelError, match="without end"):
        ChatTemplate(source, Bytes(), seconds=0.01)
    assert time.process_time() - began < 2


def test_a_namespace_may_hold_itself() -> None:
    source = "{% set ns = namespace() %}{% set ns.x = [ns, ns] %}{{ ns.x|length }}{{ ns }}"
    assert written(source) == "2<Namespace>"


def test_none_is_longer_than_any_known() -> None:
    assert ChatTemplate("x" * 50_000, Bytes())
    with pytest.raises(ModelError, match="without end"):
        ChatTemplate("x" * 70_000, Bytes())


def test_values_have_their_methods_and_nothing_else() -> None:
    assert (
        written("[{{ (1).numerator }}{{ messages.insert }}{{ raise_exception.__name__ }}]") == "[]"
    )


def test_nothing_is_reckoned_before_it_is_rendered() -> None:
    tracemalloc.start()
    try:
        ChatTemplate(
            "{% set x = '" + "a" * 2000 + "'|replace('a', '" + "b" * 2000 + "') %}", Bytes()
        )
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


def test_a_long_conversation_is_no_crime() -> None:
    source = """
        {%- set chosen = namespace(messages=[]) %}
        {%- for message in messages %}
            {%- set chosen.messages = chosen.messages + [message] %}
            {%- for later in messages[loop.index0:] %}
                {%- if later.role != 'user' %}{% break %}{% endif %}
            {%- endfor %}
        {%- endfor %}
        {%- for message in chosen.messages %}{{ message.get('content')|trim }}{% endfor %}"""
    text = "Some words, not many. " * 30
    tokens = ChatTemplate(source, Bytes()).render([{"role": "assistant", "content": text}] * 1000)
    assert bytes(tokens).decode() == text.strip() * 1000


def test_threads_do_not_share_their_limits() -> None:
    source = "{% if messages %}" + looping(looping("")) + "{% endif %}"
    template = ChatTemplate(source, Bytes(), seconds=0.3)
    ended: list[ModelError] = []

    def run() -> None:
        try:
            template.render([{"role": "user", "content": "Hi"}])
        except ModelError as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    began = time.process_time()
    while thread.is_alive() and time.process_time() - began < 3:
        template.render([])
    assert "without end" in str(ended[0])


def test_sleeping_is_not_running() -> None:
    sandbox = Sandbox(0.05)
    sandbox.globals["nap"] = lambda: time.sleep(0.1)
    assert sandbox.render(sandbox.compile_template("{{ nap() }}{{ nap() }}"), {}) == "NoneNone"


def test_nothing_is_kept_after_it_is_rendered() -> None:
    template = ChatTemplate("{{ messages|list|length }}", Bytes())
    tracemalloc.start()
    try:
        template.render([{"content": "x" * 900_000}])
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()


def test_a_usual_chat_takes_no_time() -> None:
    template = ChatTemplate(CHATML, type("Instant", (Bytes,), {"tokenize": lambda *_, **__: [1]})())
    messages = [{"role": "user", "content": "Some words, not many. " * 20}] * 20

    def seconds() -> float:
        began = time.perf_counter()
        template.render(messages)
        return time.perf_counter() - began

    assert min(seconds() for _ in range(20)) < 0.002
