from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.budget import Budget, Cost
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.extension import Declared
from local_dream_conformance.core.options import HIDDEN, parse_budget
from local_dream_conformance.core.settings import OPTIONS, Settings
from local_dream_conformance.core.settings_sources import address, resolve
from tests.conformance.tls import authority

URL = "http://127.0.0.1:8081"


def settings(
    given: dict[str, Any] | None = None, environment: dict[str, str] | None = None, file: dict[str, Any] | None = None
) -> Settings:
    return resolve(URL, given or {}, environment or {}, file or {}, "pyproject.toml")


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority(tmp_path_factory.mktemp("authority")).certificate


def test_defaults() -> None:
    assert settings() == Settings(URL)


def test_the_command_line_wins_over_the_environment_over_the_file() -> None:
    file = {"size": "64x64", "steps": 3, "seed": 7}
    environment = {"LOCAL_DREAM_SIZE": "128x64", "LOCAL_DREAM_STEPS": "4"}
    found = settings({"size": "256x64"}, environment, file)
    assert (found.size, found.steps, found.seed) == ((256, 64), 4, 7)


def test_every_option_is_reachable_from_all_three_sources(pem: Path) -> None:
    texts = {
        "profile": "all",
        "size": "512x256",
        "steps": "2",
        "upscaler-path": "/sdcard/model.bin",
        "idle-timeout": "1.5",
        "total-timeout": "20",
        "header": "X-Key: abc",
        "budget": "generate=3,upscale=0",
        "seed": "4294967295",
        "relaunch": "./server --port 8081",
        "waivers": "/waivers.toml",
        "known": "local-dream-2.7",
        "extension": "schedulers=euler,lcm",
        "field": 'model_id={"그림": "é"}',
        "cacert": str(pem),
        "max-duration": "90",
        "control-url": "http://127.0.0.1:8808/",
    }
    switches = ("strict", "no-img2img", "destructive", "insecure")
    assert texts.keys() | set(switches) == {option.name for option in OPTIONS}
    expected = Settings(
        URL,
        profile="all",
        strict=True,
        size=(512, 256),
        steps=2,
        upscaler_path="/sdcard/model.bin",
        img2img=False,
        idle_timeout=1.5,
        total_timeout=20.0,
        destructive=True,
        headers=(("X-Key", "abc"),),
        budget=Budget(3, 0),
        seed=4294967295,
        relaunch="./server --port 8081",
        waivers="/waivers.toml",
        known=("local-dream-2.7",),
        extensions=(Declared("schedulers", ("euler", "lcm")), Declared("control")),
        control_url="http://127.0.0.1:8808",
        fields=(("model_id", {"그림": "é"}),),
        cacert=str(pem),
        max_duration=90.0,
        insecure=True,
    )
    many = {name: [texts[name]] for name in ("header", "known", "extension", "field")}
    given = {**texts, **many, **dict.fromkeys(switches, True)}
    variables = {"LOCAL_DREAM_" + name.upper().replace("-", "_"): text for name, text in texts.items()}
    variables |= {"LOCAL_DREAM_" + name.upper().replace("-", "_"): "yes" for name in switches}
    assert settings(given) == expected
    assert settings(environment=variables) == expected
    assert settings(file={**texts, **dict.fromkeys(switches, True)}) == expected
    assert settings(file={**texts, **dict.fromkeys(switches, "on")}) == expected


@pytest.mark.parametrize("switch", ["strict", "no-img2img", "destructive", "insecure"])
def test_a_switch_can_be_off_in_a_file(switch: str) -> None:
    assert settings(file={switch: False}) == Settings(URL)
    assert settings(environment={"LOCAL_DREAM_" + switch.upper().replace("-", "_"): "0"}) == Settings(URL)


def test_the_address_of_a_control_api() -> None:
    found = settings({"control-url": "http://user:secret@phone:8808"})
    assert found.declared == ("control",)
    assert found.public()["control_url"] == "http://phone:8808"
    assert "secret" in found.secrets
    assert Settings.from_public(found.public()).control_url == "http://phone:8808"
    assert settings({"control-url": "http://phone:8808", "extension": ["control"]}).declared == ("control",)
    with pytest.raises(BadSetting, match="leave /status out"):
        settings({"control-url": "http://phone:8808/status"})
    with pytest.raises(BadSetting, match="--extension control: give --control-url"):
        settings({"extension": ["control"]})


def test_several_headers() -> None:
    pairs = (("A", "1:2"), ("B", "3"))
    assert settings({"header": ["A: 1:2", "B:3"]}).headers == pairs
    assert settings(environment={"LOCAL_DREAM_HEADER": "A: 1:2\nB: 3\n"}).headers == pairs
    assert settings(file={"header": ["A: 1:2", "B: 3"]}).headers == pairs


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("profile", "extreme", "give one of core, hardened, all"),
        ("size", "512", "WIDTHxHEIGHT"),
        ("size", "0x8", "WIDTHxHEIGHT"),
        ("size", "512x510", "multiples of 8"),
        ("size", "\u0665\u0661\u0662x512", "WIDTHxHEIGHT"),
        ("steps", "0", "from 1 to 1000"),
        ("steps", "many", "from 1 to 1000"),
        ("upscaler-path", "a\x1bb", "printable"),
        ("idle-timeout", "0", "seconds above 0"),
        ("idle-timeout", "nan", "seconds above 0"),
        ("total-timeout", "inf", "seconds above 0"),
        ("budget", "generations=3", "generate=N,upscale=M"),
        ("budget", "generate=-1", "generate=N,upscale=M"),
        ("budget", "generate=1,generate=2", "generate=N,upscale=M"),
        ("seed", "4294967296", "from 0 to 4294967295"),
    ],
)
def test_a_bad_value_names_the_setting_the_value_and_the_fix(name: str, text: str, words: str) -> None:
    with pytest.raises(BadSetting) as option:
        settings({name: text})
    with pytest.raises(BadSetting) as variable:
        settings(environment={f"LOCAL_DREAM_{name.upper().replace('-', '_')}": text})
    with pytest.raises(BadSetting) as file:
        settings(file={name: text})
    for caught, where in (
        (option, f"--{name}:"),
        (variable, f"LOCAL_DREAM_{name.upper().replace('-', '_')}:"),
        (file, f"{name} in pyproject.toml:"),
    ):
        message = str(caught.value)
        assert message.startswith(where)
        assert words in message
        assert repr(text) in message
        assert "\n" not in message
        assert message.isprintable()


@pytest.mark.parametrize("text", ["s3cret", "Bad Name: s3cret", "X-Key: s3cret\r\nX-Evil: 1", "X-Key: s3cret-\u202eü"])
def test_a_bad_header_is_refused_without_showing_its_value(text: str) -> None:
    with pytest.raises(BadSetting) as caught:
        settings({"header": [text]})
    assert str(caught.value).startswith("--header:")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("value", [{"a": 1}, None, [1]])
def test_a_file_value_of_the_wrong_kind_is_refused(value: object) -> None:
    with pytest.raises(BadSetting, match=r"steps in pyproject.toml: give a text or a number"):
        settings(file={"steps": value})


def test_a_boolean_for_a_setting_that_is_none_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"steps in pyproject.toml: true cannot be used"):
        settings(file={"steps": True})


def test_an_unknown_name_in_the_file_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"'step' in pyproject.toml is no setting; there are target, profile, "):
        settings(file={"step": 3})


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("HTTP://Phone:8081", "http://phone:8081"),
        ("http://bücher.example:80/画/", "http://xn--bcher-kva.example:80/%E7%94%BB"),
        ("http://h/a%20b", "http://h/a%20b"),
        ("http://User:Pw@H//", "http://User:Pw@h"),
    ],
)
def test_addresses_as_they_go_out(text: str, url: str) -> None:
    assert address(text) == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("phone:8081", r"; did you mean http://phone:8081\?$"),
        ("[::1]:80/sd/", r"; did you mean http://\[::1\]:80/sd\?$"),
        ("http://h/sd/generate", r"leave /generate out: give the address under which /health and /generate are"),
        ("ftp://h", r"as http://HOST:PORT$"),
    ],
)
def test_a_bad_address_is_told_what_was_meant(text: str, words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        address(text)


@pytest.mark.parametrize("text", ["http://h", "https://h:1/base/", "http://[::1]:8081", "http://user:pw@h:80"])
def test_addresses(text: str) -> None:
    assert address(text) == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    ["", "h:8081", "ftp://h", "http://", "http://h:0", "http://h:99999", "http://h?x=1", "http://h#x", "http://a b"],
)
def test_bad_addresses(text: str) -> None:
    with pytest.raises(BadSetting, match=r"--target: .*give the server's address as http://HOST:PORT"):
        address(text)


def test_a_path_in_a_file_is_relative_to_it(pem: Path) -> None:
    found = resolve(URL, {}, {}, {"cacert": pem.name}, str(pem.parent / "pyproject.toml"))
    assert found.cacert == str(pem)


def test_a_secret_beyond_ascii_is_hidden_however_it_comes_back() -> None:
    found = settings({"header": ["X-Key: tök-그림"]})
    for text in ("tök-그림", "tök-그림".encode().decode("latin-1"), json.dumps("tök-그림")):
        assert found.redact(f"you sent {text}").strip('"') in ("you sent ***", 'you sent "***')


def test_what_is_shown_of_a_setting_is_read_back(pem: Path) -> None:
    found = settings({"field": ['a="é"', "b=[1, null]"], "cacert": str(pem), "insecure": True})
    assert found.public()["fields"] == ['a="é"', "b=[1, null]"]
    assert Settings.from_public(found.public()) == found


def test_secrets_are_nowhere_in_what_is_shown() -> None:
    found = resolve("http://user:passw0rd@h:1", {"header": ["Authorization: Bearer tok-123"]}, {}, {}, "")
    assert found.address.public == "http://h:1"
    assert found.public()["headers"] == [f"Authorization: {HIDDEN}"]
    assert found.redact("you sent tok-123 and Bearer tok-123 and passw0rd") == "you sent *** and *** and ***"
    shown = f"{found.public()}"
    assert "tok-123" not in shown + repr(found)
    assert "passw0rd" not in shown


@pytest.mark.parametrize(
    ("budget", "cost", "allowed"),
    [
        (Budget(), Cost(99, 99), True),
        (parse_budget("generate=2"), Cost(2, 99), True),
        (parse_budget("generate=2"), Cost(3, 0), False),
        (parse_budget("upscale=0"), Cost(9, 0), True),
        (parse_budget("generate=2,upscale=0"), Cost(0, 1), False),
    ],
)
def test_budget(budget: Budget, cost: Cost, allowed: bool) -> None:
    assert budget.allows(cost) is allowed


def test_the_nearest_file_with_our_section_is_read(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.local-dream]\nsize = "64x64"\nno-img2img = true\n')
    (inner / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    found, origin = settings_sources.find_file(inner)
    assert found == {"size": "64x64", "no-img2img": True}
    assert origin == str(tmp_path / "pyproject.toml")
    (tmp_path / "a" / "tox.ini").write_text("[local-dream]\nsize = 8x8\nheader =\n  A: 100%\n  B: 2\n")
    found, origin = settings_sources.find_file(inner)
    assert settings(file=found).headers == (("A", "100%"), ("B", "2"))
    assert origin == str(tmp_path / "a" / "tox.ini")


def test_no_file(tmp_path: Path) -> None:
    assert settings_sources.find_file(tmp_path) == ({}, "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool.local-dream\n"),
        ("pyproject.toml", "[tool]\nlocal-dream = 3\n"),
        ("tox.ini", "[local-dream]\n[local-dream]\n"),
    ],
)
def test_an_unreadable_file_is_one_line(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadSetting) as caught:
        settings_sources.find_file(tmp_path)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)
