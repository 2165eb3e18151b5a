"""Settings: a file and variables say what flags are when nobody gives them."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from localspec.arguments import settings
from localspec.errors import UsageError


class Place:
    """A config file and an environment of one's own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LOCALSPEC_HOME", str(folder))
        self.file, self.set = folder / "config" / "config.toml", monkeypatch.setenv
        self.file.parent.mkdir(parents=True)

    def write(self, text: str) -> None:
        self.file.write_text(text)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path / "a home", monkeypatch)


def parsed(line: str) -> Any:
    return settings.parse(line.split())


def refused(line: str) -> str:
    with pytest.raises(UsageError) as caught:
        parsed(line)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_without_settings_flags_have_their_defaults(place: Place) -> None:
    options = parsed("serve")
    assert (options.model, options.port, options.api_key) == ("shell", 8080, None)
    assert parsed("chat").model is None


def test_the_mark_that_editors_on_windows_begin_files_with_is_no_setting(place: Place) -> None:
    place.file.write_bytes(b"\xef\xbb\xbfport = 3\r\n")
    assert parsed("serve").port == 3
    place.file.write_bytes(b"\xef\xbb\xbfprot = 3\r\n")
    assert "line 1: 'prot' is no setting" in refused("serve")


def test_the_nearest_counts(place: Place) -> None:
    place.write("port = 1\n")
    assert parsed("serve").port == 1
    place.write("port = 1\n[serve]\nport = 2\n")
    assert parsed("serve").port == 2
    place.set("LOCALSPEC_PORT", "3")
    assert parsed("serve").port == 3
    place.set("LOCALSPEC_SERVE_PORT", "4")
    assert parsed("serve").port == 4
    assert parsed("serve --port 5").port == 5
    assert parsed("serve --port 8080").port == 8080, "a default that is said is said"


def test_what_stands_above_all_tables_is_for_every_verb_that_has_the_flag(place: Place) -> None:
    place.write('model = "big"\ndraft = "none"\n[bench]\nmodel = "small"\n')
    assert {parsed(line).model for line in ("generate hi", "serve", "batch a -o b")} == {"big"}
    assert (parsed("bench").model, parsed("bench").draft) == ("small", "none")
    assert parsed("distill other").model == "other", "what must be said is no setting"


def test_values_become_what_the_flag_makes_of_them(place: Place) -> None:
    place.write(
        "[generate]\nspeculation = 3\nmax_tokens = 9\ntemperature = 1\n"
        '[serve]\nallow-host = ["a", "b"]\n[batch]\nparallel = "auto"\nstop = "x"\n'
    )
    options = parsed("generate hi")
    assert (options.speculation, options.max_tokens, options.temperature) == (3, 9, 1.0)
    assert parsed("serve").allow_host == ["a", "b"]
    assert parsed("serve --allow-host c").allow_host == ["c"], "a flag takes their place"
    assert (parsed("batch a -o b").parallel, parsed("batch a -o b").stop) == (None, ["x"])
    place.set("LOCALSPEC_GENERATE_SPECULATION", "off")
    assert parsed("generate hi").speculation == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", "line 1: 'prot' is no setting; did you mean 'port'?"),
        ("\n[serve]\nprot = 1", "line 3: 'prot' is no setting of serve; did you mean 'port'?"),
        ("[serve]\ntemperature = 1", "line 2: 'temperature' is no setting of serve"),
        ('[serve]\nport = "1"', "line 2: port cannot be '1'; it must be a whole number."),
        ("[serve]\nport = true", "line 2: port cannot be True"),
        ("[serve]\nport = 1.5", "line 2: port cannot be 1.5"),
        ("[serve]\nport = [1]", "line 2: port cannot be [1]"),
        ("model = 3", "line 1: model cannot be 3; it must be text."),
        ("serve = 3", "line 1: serve is a table, [serve]."),
        ("[server]\nport = 3", "'server' is no setting; did you mean 'serve'?"),
        ("json = true", "'json' is no setting"),
        ("[serve", "not TOML"),
        pytest.param(
            f"[serve]\nkeep-alive = 1{'0' * 400}", "line 2: keep-alive cannot be 1", id="huge"
        ),
    ],
)
def test_mistakes_in_the_file_are_one_sentence_that_names_their_place(
    place: Place, text: str, words: str
) -> None:
    place.write(text)
    sentence = refused("serve")
    assert words in sentence
    assert str(place.file) in sentence


def test_mistakes_in_variables_are_one_sentence_that_names_them(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.set("LOCALSPEC_SERVE_PORT", "x")
    assert (
        refused("serve") == "LOCALSPEC_SERVE_PORT: port cannot be 'x'; it must be a whole number."
    )
    place.set("LOCALSPEC_SERVE_PORT", "")
    assert parsed("serve").port == 8080, "an empty one is none"
    place.set("LOCALSPEC_DISTILL_MINUTES", "x")
    assert "MINUTES: minutes: 'x' is not a number of minutes." in refused("distill shell")
    place.set("LOCALSPEC_SERVE_PROT", "1")
    assert "LOCALSPEC_SERVE_PROT sets nothing; did you mean 'LOCALSPEC_SERVE_PORT'?" in refused(
        "serve"
    )


def test_what_kubernetes_tells_its_pods_is_no_setting(place: Place) -> None:
    place.set("LOCALSPEC_PORT", "tcp://10.0.0.1:8080")
    place.set("LOCALSPEC_PORT_8080_TCP_ADDR", "10.0.0.1")
    place.set("LOCALSPEC_SERVICE_HOST", "10.0.0.1")
    place.set("LOCALSPEC_SERVICE_PORT", "8080")
    assert parsed("serve").port == 8080


def test_nobody_needs_a_home_folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for users without a name
    assert parsed("serve").port == 8080


def test_mistakes_stop_no_verb_without_settings(place: Place) -> None:
    place.write("prot = 1")
    for line in ("doctor", "models list"):
        assert parsed(line)
    with pytest.raises(UsageError, match="prot"):
        settings.in_force()


def test_what_is_in_force_can_be_read_and_keys_cannot(place: Place) -> None:
    place.write('[serve]\nport = 9000\napi-key = "hush hush"\n[keys]\nchats = "f2"\n')
    place.set("LOCALSPEC_API_KEY", "very secret")
    assert parsed("serve").api_key == parsed("chat").api_key == "very secret"
    assert list(map(str, settings.in_force())) == [
        "api-key set, and not shown (LOCALSPEC_API_KEY)",
        f"serve.port = 9000 ({place.file}, line 2)",
        f"serve.api-key set, and not shown ({place.file}, line 3)",
    ]
    place.write("[serve]\napi-key = 12345\n")
    with pytest.raises(UsageError) as caught:
        settings.in_force()
    assert "12345" not in str(caught.value)


def test_keys_of_the_chat_are_changed_by_name(place: Place) -> None:
    known = ("chats", "chats.undo", "message.copy")
    assert settings.keys(known) == []
    place.write('[keys]\nchats = "f2"\nmessage.copy = "x"\n')
    changed = {setting.name: setting.value for setting in settings.keys(known)}
    assert changed == {"chats": "f2", "message.copy": "x"}
    for text, words in (
        ('[keys]\nchat = "f2"\n', "line 2: 'chat' is no key of the chat; did you mean 'chats'?"),
        ('[keys]\nmessage.copi = "x"\n', "line 2: 'message.copi' is no key of the chat; did you"),
        ('[keys]\n"quux" = "f2"\n', "line 2: 'quux' is no key of the chat; /help"),
        ("[keys]\nchats = 2\n", "line 2: chats cannot be 2; it is a key"),
        ("keys = 3\n", "line 1: keys is a table"),
        ("[keys", "not TOML"),
    ):
        place.write(text)
        with pytest.raises(UsageError, match=re.escape(words)):
            settings.keys(known)
