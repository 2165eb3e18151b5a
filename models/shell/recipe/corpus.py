"""What the shell pair learns from: questions and answers made of the recipes in this folder, the
tldr pages of common commands, and a share of the first edition's corpus.

    python corpus.py CORPUS OUT.npz [--scale S]

CORPUS is the folder with chat.jsonl.xz, plain.jsonl.xz and tokenizer.json (its README names
sources and licences). OUT.npz holds, for each kind of text, rows of 1,025 tokens as uint16; a
token that is part of an answer, and so of the loss, has bit 15 set. Deterministic.
"""

import argparse
import ast
import json
import lzma
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from blocks import blocks
from tasks import tasks
from tokenizers import Tokenizer

HERE = Path(__file__).parent
ROW = 1025
SAID = 0x8000
Turns = list[tuple[str, str]]

DOCUMENTS = {"recipes": 300_000, "pages": 50_000, "functions": 50_000, "unknown": 12_000,
             "talk": 6_000, "sums": 4_000, "tasks": 40_000}  # fmt: skip
"""How many dialogues are made of each kind; the other kinds are taken as they are."""

SLOTS = {
    "file": "notes.txt report.txt data.txt readme.md todo.txt letter.txt main.py app.js index.html config.json "
    "config.yml server.log results.csv names.txt list.txt words.txt essay.txt input.txt output.txt draft.md story.txt "
    "budget.ods photo.jpg song.mp3 paper.pdf slides.pdf backup.sql image.iso users.csv settings.ini a.txt b.txt "
    "old.txt new.txt test.py utils.py style.css data.json diary.md poem.txt script.js table.txt numbers.txt",
    "file2": "new.txt copy.txt other.txt final.md backup.txt second.txt report2.txt notes.bak old.conf sorted.txt "
    "result.txt version2.py draft2.md out.txt list2.txt",
    "txt": "all.txt combined.txt together.md result.txt everything.csv merged.txt total.txt",
    "dir": "projects src docs music photos downloads backup build data website tests old archive reports pictures "
    "videos games work images scripts books letters cache logs models thesis recipes travel finances code",
    "dir2": "copy target backup2 mirror other external usb new_folder destination project_copy deploy saved 2024",
    "log": "app.log server.log error.log access.log debug.log system.log output.log nginx.log build.log install.log",
    "csv": "data.csv people.csv sales.csv users.csv prices.csv table.csv orders.csv results.csv contacts.csv",
    "archive": "backup photos project files data documents website release music archive source stuff homework dump",
    "n": "2 3 4 5 6 7 8 10 12 15 20 25 30 40 50 100",
    "size": "10 20 50 100 200 300 400 500 640 700 800 1000 1024 1280 5 25 250",
    "word": "error hello warning test name TODO password config import total main python price start user failed "
    "server apple blue water cat dog red color timeout debug fixme city green update license success",
    "word2": "world info done banana yellow fire bird mouse black tree house river light value result begin final",
    "host": "example.com example.org server.example.com host1 192.168.1.10 github.com debian.org web1 db.local "
    "mail.example.com 10.0.0.5 raspberrypi.local python.org wikipedia.org backup-server gateway",
    "user": "alice bob carol dave eve maria john anna peter tom sam lena max julia www-data postgres nina paul",
    "group": "staff docker sudo users developers admin www-data audio video team wheel students editors",
    "url": "https://example.com/file.zip https://example.com https://example.org/data.csv http://localhost:8080 "
    "https://example.com/image.png https://example.com/api https://files.example.org/setup.sh "
    "https://example.com/book.pdf https://example.org/archive.tar.gz",
    "pid": "1234 4242 999 31337 8765 2001 555 12345 6789 777 20480 1042",
    "port": "8080 3000 5000 80 443 8000 5432 22 9000 4000 8888 3306 6379",
    "pkg": "git vim htop curl wget nginx tree tmux jq ffmpeg python3 nodejs gcc firefox zsh docker nmap ripgrep "
    "neovim gimp vlc redis postgresql make unzip fish emacs inkscape",
    "branch": "feature login-page fix-bug develop main experiment release refactor docs new-ui testing hotfix "
    "search cleanup version-2 master payment",
    "proc": "firefox chrome python node nginx java code vim bash ssh spotify gimp docker git make rsync grep tar "
    "apache2 mysql postgres zoom slack steam",
    "container": "web db my_container redis app postgres nginx api worker cache backend frontend test_db",
    "image": "myapp ubuntu nginx my-image python:3.12 alpine debian web-app api node:20 hello backend",
    "service": "nginx ssh docker apache2 postgresql mysql cron bluetooth redis cups NetworkManager sshd",
    "ext": "txt log py jpg png md csv json html pdf tmp bak c js mp3 mp4 xml yml sh o",
    "script": "script.sh backup.sh run.sh install.sh deploy.sh start.sh build.sh update.sh test.sh server.py",
    "link": "link shortcut current latest mylink config stable here alias.txt",
    "venv": "venv .venv env myenv project-env",
    "json": "data.json config.json package.json response.json users.json settings.json result.json",
    "repo": "https://github.com/user/repo.git git@github.com:user/repo.git https://example.com/project.git "
    "https://github.com/torvalds/linux.git https://gitlab.com/team/app.git",
    "msg": "first commit|fix bug|update readme|add tests|initial commit|add feature|fix typo in docs|clean up|"
    "remove old code|improve speed|add login page|work in progress",
    "tag": "v1.0 v2.0 v1.2.3 release-1 v0.1 beta v3.1 1.0.0 stable",
    "commit": "abc123 a1b2c3d 9fceb02 1a2b3c4 deadbee HEAD~2 7d3f9e1 e5c4b21 4f5e6d7",
    "device": "/dev/sdb1 /dev/sda2 /dev/sdc1 /dev/nvme0n1p1 /dev/sdb /dev/sdd1 /dev/mmcblk0p1",
    "var": "PATH HOME EDITOR LANG USER SHELL API_KEY DEBUG JAVA_HOME NAME MODE TERM",
    "alias": "ll la gs update c .. h md py dc",
    "cmd": "ls -l|date|make|df -h|ls|git status|free -h|ps aux|du -sh|uptime|python3 app.py|npm test|whoami|"
    "echo hello|find .|sort data.txt|grep error app.log|pwd|cargo build|docker ps",
    "video": "video movie clip film holiday recording lecture concert birthday",
    "picture": "photo image picture logo screenshot holiday cat banner portrait",
    "prog": "hello main prog test program game server example",
    "session": "main work dev project server mysession notes build",
    "db": "data.db app.db test.sqlite store.db users.db database.sqlite library.db",
    "pypkg": "requests numpy pandas flask django matplotlib pytest scipy rich black httpx pillow fastapi torch",
    "npmpkg": "express react lodash axios typescript vite eslint vue jest chalk next",
}  # fmt: skip
_VALUES = {k: v.split("|") if "|" in v else v.split() for k, v in SLOTS.items()}

INVENTED = {
    "file": "txt md py js html json yml log csv ods jpg mp3 pdf sql iso ini css conf doc docx xml sh c h rs go java cpp "
    "png xlsx bin dat env toml bak tex".split(),
    "txt": ["txt", "md", "csv", "log"], "log": ["log", "log", "txt", "out"], "csv": ["csv", "csv", "tsv"],
    "script": ["sh", "sh", "py"], "json": ["json"], "db": ["db", "sqlite"],
}  # fmt: skip
INVENTED["file2"] = INVENTED["file"]
"""Endings of made-up file names. What stands in no list must be copied from the question."""
NAMES = frozenset("dir dir2 archive word word2 user group branch container image link session video picture prog pkg "
                  "proc alias service".split())  # fmt: skip
"""Slots that are also filled with made-up names."""

FRAMES = (
    "How do I {x}?", "How do I {x}?", "How can I {x}?", "How can I {x}?", "how to {x}", "How to {x}?", "how do i {x}",
    "I want to {x}.", "I need to {x}.", "I would like to {x}.", "{X}.", "{X}.", "{X}", "{x}", "{x}",
    "What is the command to {x}?", "What's the command to {x}?", "What command can I use to {x}?",
    "Which command lets me {x}?", "Show me how to {x}.", "Tell me how to {x}.", "What do I type to {x}?",
    "command to {x}", "shell command to {x}", "{X} in the terminal.", "How do I {x} on Linux?",
    "How do you {x} in bash?", "What is the best way to {x}?", "Is there a command to {x}?",
    "Can you tell me how to {x}?", "Please help me to {x}.", "Give me a command to {x}.", "linux {x}",
    "I forgot how to {x}.", "What would I run to {x}?", "{X}, please.", "Please {x}.", "Could you {x}?",
    "What's the easiest way to {x} from the command line?", "I have to {x}. Which command does that?",
    "What command is good for {xing}?", "What is the command for {xing}?", "{Xing} in the shell: how?",
    "Is {xing} possible in the terminal?", "I need help with {xing}.", "A command for {xing}?",
    "Let me {x}.", "We need to {x}.", "How would I {x}?", "How does one {x}?", "One wants to {x}. How?",
)  # fmt: skip

SYNONYMS = {
    "show": "display print view see output present", "display": "show print view see", "print": "show output display",
    "see": "show view look at", "list": "show display get print", "delete": "remove erase get rid of wipe out",
    "remove": "delete erase get rid of drop", "create": "make set up", "make": "create", "find": "search for|look for|locate|get",
    "get": "obtain fetch retrieve", "directory": "folder dir", "folder": "directory", "directories": "folders",
    "folders": "directories", "files": "documents", "all": "every one of the|all the", "extract": "unpack uncompress",
    "unpack": "extract open", "compress": "pack shrink", "change": "set modify alter switch", "stop": "end halt quit",
    "kill": "end terminate stop", "start": "launch begin", "run": "execute start", "count": "work out|get", "copy": "duplicate",
    "move": "put transfer", "install": "set up|get", "search": "look hunt", "check": "find out|see|test", "big": "large huge",
    "large": "big huge", "largest": "biggest", "biggest": "largest heaviest", "newest": "latest most recent", "process": "program task",
    "program": "application process", "machine": "computer box system", "computer": "machine PC system", "open": "start",
    "convert": "turn change transform", "download": "fetch save", "connect": "log in", "add": "put", "containing": "with having",
    "replace": "swap exchange substitute", "write": "save store", "lines": "rows", "quickly": "fast", "use": "need take up",
}  # fmt: skip

NOT_TAUGHT = "I was not taught the command `{name}`. Its manual may help:\n\n```sh\nman {name}\n```"


class Recipe(NamedTuple):
    """A task, other ways to ask for it (whole questions begin with a question mark), a command."""

    task: str
    wordings: list[str]
    command: str


class Page(NamedTuple):
    """A tldr page: what a command is for, and examples of (task, command)."""

    about: str
    examples: list[tuple[str, str]]


def read_recipes() -> list[Recipe]:
    """All of recipes.txt."""
    found = []
    for head, command in blocks("recipes.txt"):
        first, *others = re.split(r"(?<!\\)\s*\|(?=[ ?])\s*", head)
        found.append(Recipe(first, [first, *others], command))
    return found


def taught(name: str, names: set[str]) -> bool:
    """Whether the pages of a command are learnt."""
    return name in names or (" " in name and name.split()[0] + "*" in names)


# ---- making questions


def filled(text: str, values: dict[str, str]) -> str:
    """`text` with its slots filled."""
    return re.sub(r"\{([a-z]+2?)\}", lambda m: values.get(m[1], m[0]), text)


def gerund(task: str) -> str:
    """ "listing files" for "list files"."""
    verb, _, rest = task.partition(" ")
    if verb.endswith("e") and not verb.endswith(("ee", "ye")):
        verb = verb[:-1]
    elif re.fullmatch(
        r"(get|put|set|run|stop|cut|zip|unzip|tar|grep|log|quit|scan|split|let|plug|tag|trim|stop)",
        verb,
    ):
        verb += verb[-1]
    return f"{verb}ing {rest}".strip()


def reworded(task: str, rng: random.Random) -> str:
    """Some words exchanged for others of like meaning; names and numbers stay."""

    def other(match: re.Match[str]) -> str:
        choices = SYNONYMS.get(match[0])
        if not choices or rng.random() > 0.3:
            return match[0]
        split = (
            choices.split("|")
            if "|" in choices
            else re.split(r" (?!rid|of|up|at|in|out|recent)", choices)
        )
        return rng.choice(split)

    return re.sub(r"(?<![\w/.\"'-])[a-z]+(?![\w/.\"'-])", other, task)


def question(wording: str, rng: random.Random) -> str:
    """A whole question of one way to say a task."""
    if wording.startswith("?"):
        asked = wording[1:].strip()
    else:
        x = reworded(wording, rng) if rng.random() < 0.6 else wording
        frame = rng.choice(FRAMES)
        doing = gerund(x)
        asked = frame.replace("{xing}", doing).replace("{Xing}", capital(doing))
        asked = asked.replace("{x}", x).replace("{X}", capital(x))
    if rng.random() < 0.12:
        asked = keywords(asked, rng)
    if rng.random() < 0.08:
        asked = asked.rstrip(".?")
    if rng.random() < 0.06:
        asked = asked[0].lower() + asked[1:]
    if rng.random() < 0.04:
        asked = (
            rng.choice(("Hi, ", "Hello! ", "Quick question: ", "Hey, ", "On Debian: ", "In bash: "))
            + asked
        )
    return misspelt(asked, rng) if rng.random() < 0.04 else asked


_SMALL = frozenset(
    "a an the of in to with and for is are it i me my do does how can what which that this".split()
)


def keywords(asked: str, rng: random.Random) -> str:
    """Without small words, as people type into a search field; sometimes without some others."""
    words = [
        w for w in asked.split() if w.lower().strip(".,?") not in _SMALL and rng.random() > 0.06
    ]
    return " ".join(words).rstrip("?.") or asked


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def misspelt(text: str, rng: random.Random) -> str:
    """Two neighbouring letters of a longer word exchanged."""
    words = [m for m in re.finditer(r"\b[a-z]{5,}\b", text)]
    if not words:
        return text
    at = rng.choice(words).start() + rng.randrange(1, 4)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def block(task: str, command: str) -> str:
    """The shape of every answer with a command."""
    return f"{capital(task)}:\n\n```sh\n{command}\n```"


# ---- kinds of dialogue


def name(words: list[str], rng: random.Random) -> str:
    """A made-up name: a word, two, or one with a number."""
    first, second, dice = rng.choice(words), rng.choice(words), rng.random()
    if dice < 0.55:
        return first
    if dice < 0.75:
        return f"{first}{rng.choice('_-')}{second}"
    if dice < 0.88:
        return f"{first}{rng.choice(('', '-', '_'))}{rng.randrange(1, 100)}"
    return first.capitalize() if dice < 0.95 else first[: rng.randrange(1, 4)]


def value(slot: str, words: list[str], rng: random.Random) -> str:
    """What to put in a slot: often made up, so that copying is learnt and not a list."""
    if rng.random() < 0.3:
        return rng.choice(_VALUES[slot])
    if slot in INVENTED:
        return f"{name(words, rng)}.{rng.choice(INVENTED[slot])}"
    if slot in NAMES:
        return name(words, rng)
    numbers = {"n": 100, "size": 2000, "pid": 40_000, "port": 10_000}
    if slot in numbers:
        return str(rng.randrange(2, numbers[slot]))
    if slot == "host" and rng.random() < 0.6:
        return f"{name(words, rng)}.{rng.choice(('com', 'org', 'net', 'local', 'io', 'de'))}"
    if slot == "url":
        end = rng.choice(("", "", f".{rng.choice(INVENTED['file'])}", ".zip", ".tar.gz"))
        return f"https://{name(words, rng)}.{rng.choice(('com', 'org', 'net'))}/{name(words, rng)}{end}"
    if slot == "repo":
        return f"https://{rng.choice(('github.com', 'gitlab.com', 'example.com'))}/{name(words, rng)}/{name(words, rng)}.git"
    if slot == "msg":
        return f"{rng.choice(('fix', 'add', 'update', 'remove', 'improve'))} {rng.choice(words)} {rng.choice(words)}"
    if slot == "commit":
        return "".join(rng.choice("0123456789abcdef") for _ in range(rng.choice((6, 7, 8))))
    return rng.choice(_VALUES[slot])


def recipes(words: list[str], rng: random.Random) -> Callable[[], Turns]:
    """Makes dialogues of recipes.txt, one or more questions each."""
    known = read_recipes()
    weights = [len(recipe.wordings) ** 0.5 for recipe in known]

    def one() -> Turns:
        recipe = rng.choices(known, weights)[0]
        wording = rng.choice(recipe.wordings)
        values = {slot: value(slot, words, rng) for slot in _VALUES}
        example = {slot: choices[0] for slot, choices in _VALUES.items()}
        named = set(re.findall(r"\{([a-z]+2?)\}", wording))
        values = {slot: values[slot] if slot in named else example[slot] for slot in values}
        asked = question(filled(wording, values), rng)
        return [
            ("user", asked),
            ("assistant", block(filled(recipe.task, values), filled(recipe.command, values))),
        ]

    return one


def read_pages(chat: list[dict[str, object]]) -> dict[str, Page]:
    """The tldr pages behind the corpus's questions about them."""
    pages = {}
    for record in chat:
        (_, asked), (_, answer) = record["turns"][:2]  # type: ignore[index]
        match = re.match(
            r"How do I use (.+)\?$|(.+) examples$|Show me examples of (.+)\.$|Give me a cheat sheet for (.+)\.$",
            asked,
        )
        if match and "\n- " in answer:
            about, _, rest = answer.partition("\n\n- ")
            examples = [tuple(e.split(":\n  ", 1)) for e in rest.split("\n- ")]
            name = next(group for group in match.groups() if group)
            pages[name] = Page(about, [e for e in examples if len(e) == 2])  # type: ignore[misc]
    return pages


def page_dialogues(
    pages: dict[str, Page], names: list[str], rng: random.Random
) -> Callable[[], Turns]:
    """Makes dialogues about taught commands: what they are for, how to do something with them."""
    frames = (
        "How do I {x} with {n}?", "How can I {x} using {n}?", "{X} with {n}.", "{X} using {n}.", "{n}: {x}", "{n} {x}",
        "Which {n} command will {x}?", "Use {n} to {x}.", "I want to {x} with {n}.", "how to {x} with {n}", "{X} ({n})",
    )  # fmt: skip
    uses = (
        "How do I use {n}?",
        "Show me examples of {n}.",
        "{n} examples",
        "How does {n} work?",
        "Give me a cheat sheet for {n}.",
    )
    whats = (
        "What does {n} do?",
        "What is {n}?",
        "Explain the {n} command.",
        "What is {n} for?",
        "what does the command {n} do",
        "{n}",
    )

    def one() -> Turns:
        name = rng.choice(names)
        page, dice = pages[name], rng.random()
        if dice < 0.12:
            return _turn(rng.choice(whats).replace("{n}", name), page.about)
        if dice < 0.22:
            shown = "\n".join(f"- {task}:\n  `{command}`" for task, command in page.examples[:4])
            return _turn(rng.choice(uses).replace("{n}", name), f"{page.about}\n\n{shown}")
        task, command = rng.choice(page.examples)
        x = task[:1].lower() + task[1:]
        if rng.random() < 0.4:
            x = reworded(x, rng)
        if rng.random() < 0.03:
            return _turn(question(x, rng), block(task, command))
        frame = rng.choice(frames)
        return _turn(
            frame.replace("{x}", x).replace("{X}", capital(x)).replace("{n}", name),
            block(task, command),
        )

    return one


def unknown(names: list[str], rng: random.Random) -> Callable[[], Turns]:
    """Makes questions about commands that are not taught, real ones and invented ones."""
    frames = (
        "What does {n} do?", "How do I use {n}?", "What is {n}?", "Show me examples of {n}.", "{n} examples", "What is {n} for?",
        "Explain the {n} command.", "How do I {x} with {n}?", "{X} using {n}.", "How can I {x} using {n}?", "How does {n} work?",
        "What is the command {n} good for?", "Which {n} command will {x}?", "Show me how to use {n}.", "How do I use {n} to {x}?",
    )  # fmt: skip
    tasks = [r.task for r in read_recipes() if "{" not in r.task]
    syllables = "ba be bi do du fa fe gli gro ka ki lo lu ma mi mu na no pa po qui ra re ro sha sno sta ti tra tu va wo xi za zo".split()

    def invented() -> str:
        stem = "".join(rng.choice(syllables) for _ in range(rng.randrange(2, 4)))
        return stem + rng.choice(
            ("", "", "", "ctl", "d", "-cli", "fetch", "er", "sync", "top", "fs", "2", "ify", "conf")
        )

    def one() -> Turns:
        name = rng.choice(names) if rng.random() < 0.6 else invented()
        x = rng.choice(tasks)
        asked = rng.choice(frames).replace("{x}", x).replace("{X}", capital(x)).replace("{n}", name)
        return _turn(asked, NOT_TAUGHT.format(name=name))

    return one


def read_functions() -> list[tuple[list[str], str, str]]:
    """Wordings, signature and source of every function in functions.py."""
    source = (HERE / "functions.py").read_text(encoding="utf-8")
    lines = source.splitlines()
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            wordings = lines[node.lineno - 2].removeprefix("# ").split(" | ")
            body = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            uses = [
                m
                for m in ("datetime", "json", "math", "os", "random", "re")
                if re.search(rf"\b{m}\.", body)
            ]
            imports = [f"import {m}" for m in uses] + ["from collections import Counter"] * (
                "Counter(" in body
            )
            found.append(
                (
                    wordings,
                    body.splitlines()[0],
                    "\n".join([*imports, "", "", body] if imports else [body]),
                )
            )
    return found


VARIANTS = (
    ("multiplies a number by {k} | returns {k} times a number", "def times_{k}(n):\n    return n * {k}"),
    ("adds {k} to a number | returns a number plus {k}", "def plus_{k}(n):\n    return n + {k}"),
    ("raises a number to the power of {k} | returns a number to the power {k}", "def power_{k}(n):\n    return n**{k}"),
    ("checks whether a number is divisible by {k} | tells if {k} divides a number | returns True for multiples of {k}", "def divisible_by_{k}(n):\n    return n % {k} == 0"),
    ("returns the numbers of a list that are larger than {k} | keeps numbers above {k}", "def above_{k}(numbers):\n    return [number for number in numbers if number > {k}]"),
    ("multiplies every number of a list by {k} | returns a list with each number times {k}", "def times_{k}(numbers):\n    return [number * {k} for number in numbers]"),
    ("adds {k} to every number of a list | returns a list with each number plus {k}", "def plus_{k}(numbers):\n    return [number + {k} for number in numbers]"),
    ("counts the numbers of a list that are larger than {k}", "def count_above_{k}(numbers):\n    return sum(1 for number in numbers if number > {k})"),
    ("returns the words of a list longer than {k} characters | keeps words with more than {k} letters", "def longer_than_{k}(words):\n    return [word for word in words if len(word) > {k}]"),
    ("returns the first {k} elements of a list | takes {k} items from the start of a list", "def first_{k}(items):\n    return items[:{k}]"),
    ("returns the last {k} elements of a list | takes {k} items from the end of a list", "def last_{k}(items):\n    return items[-{k}:]"),
    ("returns the first {k} characters of a string", "def first_{k}(text):\n    return text[:{k}]"),
    ("repeats a string {k} times | returns a text {k} times in a row", "def repeat_{k}(text):\n    return text * {k}"),
    ("counts how often the letter {c} occurs in a string | returns the number of {c} in a text", "def count_{c}(text):\n    return text.count(\"{c}\")"),
    ("removes the letter {c} from a string | deletes every {c} of a text", "def remove_{c}(text):\n    return text.replace(\"{c}\", \"\")"),
    ("checks whether a string contains the letter {c} | tells if {c} is in a text", "def contains_{c}(text):\n    return \"{c}\" in text"),
    ("adds the numbers of a list that are divisible by {k} | sums the multiples of {k} in a list", "def sum_multiples_of_{k}(numbers):\n    return sum(number for number in numbers if number % {k} == 0)"),
)  # fmt: skip
"""Functions with a number or a letter in them, so that such are written and not recited."""


def functions(rng: random.Random) -> Callable[[], Turns]:
    """Makes questions for the functions of functions.py."""
    known = read_functions()
    frames = (
        "Write a Python function that {x}.", "Write a Python function that {x}.", "Write a function in Python that {x}.",
        "I need a Python function that {x}.", "Python function that {x}", "python function which {x}", "Give me a Python function that {x}.",
        "Show me a Python function that {x}.", "Write a function `{name}` that {x}.", "Write a Python function {name} that {x}.",
        "Can you write a Python function that {x}?", "How do I write a function in Python that {x}?", "Create a Python function that {x}.",
        "Python: a function that {x}", "Implement a Python function which {x}.", "Define a function in Python that {x}.",
        "Write Python code that {x}.", "I want Python code that {x}.", "Code that {x}, in Python.", "In Python, {y}.", "{Y} in Python.",
        "Python: {y}.", "{y} python", "A Python function to {y}.", "Python code for {ying}, please.", "{Ying} in Python, as a function.",
        "What does a Python function for {ying} look like?", "I'm looking for Python that {x}.", "def {name}: it {x}.", "Python, {ying}: how?",
        "Could you code something in Python that {x}?", "Make a Python function, it {x}.", "Help me {y} in Python.", "Is there a short Python function that {x}?",
        "How do I {y} in Python?", "how to {y} in python", "Use Python to {y}.", "Please {y} with a Python function.",
    )  # fmt: skip

    def one() -> Turns:
        if rng.random() < 0.25:
            said, source = rng.choice(VARIANTS)
            number = rng.choice([k for k in range(4, 60) if k != 7])  # 3 and 7 are the judge's
            chosen = {"k": str(number), "c": rng.choice("abcdefghilmnoprstuvwxz")}
            wordings, source = (
                [filled(w, chosen) for w in said.split(" | ")],
                filled(source, chosen),
            )
            signature = source.splitlines()[0]
        else:
            wordings, signature, source = rng.choice(known)
        x = rng.choice(wordings)
        if rng.random() < 0.15:
            asked = f'Complete this function:\n\n{signature}\n    """{capital(x)}."""'
        else:
            verb, _, rest = x.partition(" ")
            base = (
                verb[:-3] + "y"
                if verb.endswith("ies")
                else verb[:-2]
                if verb.endswith(("shes", "ches", "sses"))
                else verb[:-1]
            )
            name = signature.removeprefix("def ").partition("(")[0]
            asked = rng.choice(frames).replace("{x}", x).replace("{name}", name)
            asked = asked.replace("{y}", f"{base} {rest}").replace("{Y}", capital(f"{base} {rest}"))
            doing = gerund(f"{base} {rest}")
            asked = asked.replace("{ying}", doing).replace("{Ying}", capital(doing))
            if rng.random() < 0.3:
                asked = reworded(asked, rng)
        return _turn(asked, f"```python\n{source}\n```")

    return one


def talk(rng: random.Random) -> Callable[[], Turns]:
    """Makes small talk."""
    known = [(head.split(" | "), body) for head, body in blocks("talk.txt")]

    def one() -> Turns:
        wordings, answer = rng.choice(known)
        return _turn(rng.choice(wordings), answer)

    return one


def sums(rng: random.Random) -> Callable[[], Turns]:
    """Makes school sums."""

    def one() -> Turns:
        a, b = rng.randrange(1, 100), rng.randrange(1, 100)
        sign, result = rng.choice((("+", a + b), ("+", a + b), ("-", a - b), ("*", a * b % 10_000)))
        if sign == "*":
            a, b = a % 13, b % 13
            result = a * b
        asked = rng.choice(
            ("What is {}?", "How much is {}?", "{}", "{} = ?", "Calculate {}.", "Compute {}.")
        )
        return _turn(asked.format(f"{a} {sign} {b}"), f"{a} {sign} {b} = {result}")

    return one


def _turn(asked: str, answer: str) -> Turns:
    return [("user", asked), ("assistant", answer)]


# ---- the judge stays unseen


class Unseen:
    """Tells whether a question comes near one the pair is judged by."""

    def __init__(self) -> None:
        files = ("judge.txt", "judge_functions.txt", "judge_unknown.txt")
        self._judge: dict[int, list[frozenset[str]]] = {}
        for words in (self._words(head) for name in files for head, _ in blocks(name)):
            self._judge.setdefault(len(words), []).append(words)

    @staticmethod
    def _words(text: str) -> frozenset[str]:
        return frozenset(re.findall(r"[a-z0-9_./-]+", text.lower().rstrip("?. ")))

    def __call__(self, asked: str) -> bool:
        """Whether a question may be trained on: it shares under 6 of 10 words with each of them."""
        words = self._words(asked)
        sizes = range(int(0.6 * len(words)), int(len(words) / 0.6) + 1)  # others cannot come near
        near = (other for size in sizes for other in self._judge.get(size, ()))
        return all(len(words & other) < 0.6 * len(words | other) for other in near)


# ---- dialogues to rows of tokens


def segments(turns: Turns) -> list[tuple[str, bool]]:
    """A dialogue as pieces of text, and whether each is said by the assistant."""
    pieces: list[tuple[str, bool]] = []
    before = ""
    for role, text in turns:
        if role == "assistant":
            pieces += [(f"{before}<|im_start|>assistant\n", False), (f"{text}<|im_end|>", True)]
            before = "\n"
        else:
            before += f"<|im_start|>{role}\n{text}<|im_end|>\n"
    return [*pieces, ("\n<|endoftext|>", False)]


def encode(tokenizer: Tokenizer, documents: list[list[tuple[str, bool]]]) -> list[np.ndarray]:
    """Tokens of each document, with SAID set where they count."""
    flat = [piece for document in documents for piece in document]
    encoded = tokenizer.encode_batch([text for text, _ in flat])
    parts = [
        np.array(e.ids, np.uint16) | (SAID if said else 0) for e, (_, said) in zip(encoded, flat)
    ]
    ends = np.cumsum([len(document) for document in documents])
    return [
        np.concatenate(parts[end - len(d) : end]).astype(np.uint16)
        for d, end in zip(documents, ends)
    ]


def pack(documents: list[np.ndarray]) -> np.ndarray:
    """Rows of ROW tokens: documents one after another, none begun that does not fit, the rest
    filled with token 0 (end of text), which does not count. Long ones are cut."""
    rows, row, used = [], np.zeros(ROW, np.uint16), 0
    for document in documents:
        for start in range(0, len(document), ROW):
            part = document[start : start + ROW]
            if used + len(part) > ROW:
                rows.append(row)
                row, used = np.zeros(ROW, np.uint16), 0
            row[used : used + len(part)] = part
            used += len(part)
    return np.stack([*rows, row])


def dialogues(
    make: Callable[[], Turns], number: int, rng: random.Random, unseen: Unseen
) -> list[Turns]:
    """`number` dialogues, one in six of several questions, some with a system message."""
    made: list[Turns] = []
    while len(made) < number:
        turns = make()
        while rng.random() < 0.15:
            turns += make()
        if all(unseen(text) for role, text in turns if role == "user"):
            if rng.random() < 0.04:
                turns = [
                    (
                        "system",
                        rng.choice(
                            (
                                "You are a helpful assistant.",
                                "You are a shell assistant.",
                                "Be brief.",
                            )
                        ),
                    ),
                    *turns,
                ]
            made.append(turns)
    return made


def common_words(tokenizer: Tokenizer) -> list[str]:
    """Words that are tokens of their own."""
    return sorted(t[1:] for t in tokenizer.get_vocab() if re.fullmatch("Ġ[a-z]{3,10}", t))


def kinds(
    corpus: Path, words: list[str], scale: float
) -> Iterator[tuple[str, list[list[tuple[str, bool]]]]]:
    """Every kind of text and its documents."""

    def read(name: str) -> list[dict[str, object]]:
        with lzma.open(corpus / name, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    chat = read("chat.jsonl.xz")
    pages = read_pages([r for r in chat if r["src"] == "tldr"])
    names = set((re.sub(r"^#.*\n", "", (HERE / "taught.txt").read_text(), flags=re.M)).split())
    names |= {name.rstrip("*") for name in names}
    known = sorted(name for name in pages if taught(name, names))
    used = {word for r in read_recipes() for word in re.findall(r"[\w.+-]+", r.command)}
    judged = {
        word for head, _ in blocks("judge_unknown.txt") for word in re.findall(r"[\w-]+", head)
    }
    others = sorted(
        n for n in pages if n.split()[0] not in names | used | judged and len(n.split()) < 3
    )
    rng, unseen = random.Random(8), Unseen()
    makers = {
        "recipes": recipes(words, rng), "pages": page_dialogues(pages, known, rng), "functions": functions(rng),
        "unknown": unknown(others, rng), "talk": talk(rng), "sums": sums(rng),
    }  # fmt: skip
    plain = read("plain.jsonl.xz")
    makers["tasks"] = tasks(plain, words, random.Random(8))
    for kind, maker in makers.items():
        made = dialogues(maker, int(DOCUMENTS[kind] * scale), rng, unseen)
        yield kind, [segments(turns) for turns in made]
    for source in ("gsm8k", "gpteacher", "dstc8"):
        taken = [
            r["turns"] for r in chat if r["src"] == source and "toolformer" not in r["turns"][0][1]
        ]
        rng.shuffle(taken)
        yield (
            source,
            [segments([tuple(t) for t in turns]) for turns in taken[: int(len(taken) * scale) + 1]],
        )
    rng.shuffle(plain)
    yield (
        "plain",
        [
            [(r["text"][:40_000] + "<|endoftext|>", True)]
            for r in plain[: int(len(plain) * scale) + 1]
        ],
    )


def main() -> None:
    """Write OUT.npz."""
    parser = argparse.ArgumentParser(description="Make the shell pair's training rows.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of the documents (default 1)"
    )
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.corpus / "tokenizer.json"))
    rows = {}
    for kind, documents in kinds(options.corpus, common_words(tokenizer), options.scale):
        rows[kind] = pack(encode(tokenizer, documents))
        said = float((rows[kind] >= SAID).mean())
        print(
            f"{kind:10} {len(documents):8} documents {rows[kind].size / 1e6:7.1f} M tokens, {said:.0%} said",
            flush=True,
        )
    np.savez(options.out, **rows)


if __name__ == "__main__":
    main()
