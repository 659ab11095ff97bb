"""The READMEs and the settings' pages say what is true: defaults, commands, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import AliasChoices, SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

import vitrina
from bot.settings import BotSettings, PaymentTerms
from db.settings import DatabaseSettings
from pipeline.settings import PipelineSettings
from workers.settings import WorkerSettings

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.ru.md")
SETTINGS_PAGES = ("docs/settings.md", "docs/settings.ru.md")
SETTINGS: tuple[type[BaseSettings], ...] = (
    BotSettings,
    PaymentTerms,
    DatabaseSettings,
    PipelineSettings,
    WorkerSettings,
)
PICTURES_LIMIT_BYTES = 1_500_000

both = pytest.mark.parametrize("readme", READMES)
every_page = pytest.mark.parametrize("page", READMES + SETTINGS_PAGES)


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def shown(default: object) -> str:
    """A default as the tables write it; nothing for what is unset or must be given."""
    if default is PydanticUndefined or default is None or isinstance(default, SecretStr):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float) and default.is_integer():
        return f"`{int(default)}`"
    return f"`{default}`"


def real_settings() -> dict[str, str]:
    """Variable -> its default, as the tables write it."""
    found = {"LOG_LEVEL": "`INFO`", "LOG_FORMAT": "`console`"}
    for one in SETTINGS:
        prefix = str(one.model_config.get("env_prefix", ""))
        for name, field in one.model_fields.items():
            alias = field.validation_alias
            own = alias.choices[0] if isinstance(alias, AliasChoices) else prefix + name
            found[str(own).upper()] = shown(field.default)
    return found


@pytest.mark.parametrize("page", SETTINGS_PAGES)
def test_the_settings_are_all_there_with_their_defaults(page: str) -> None:
    rows = re.findall(r"^\| `([A-Z][A-Z_]+)` \| ([^|]*?) \| .+ \|$", text_of(page), re.MULTILINE)
    assert len(rows) == len({name for name, _ in rows}), "a setting stands twice"
    assert dict(rows) == real_settings()


@every_page
def test_every_variable_that_is_named_exists(page: str) -> None:
    used = set(re.findall(r"\b((?:BOT|PAYMENTS|PIPELINE|WORKER|LOG)_[A-Z_]+)\b", text_of(page)))
    assert used <= set(real_settings())


def code(readme: str) -> str:
    """All that the page shows as code."""
    text = text_of(readme)
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join(blocks + re.findall(r"`([^`\n]+)`", text))


@both
def test_its_commands_exist(readme: str) -> None:
    called = set(re.findall(r"\bvitrina ([a-z][a-z-]+)", code(readme)))
    assert called
    assert called <= set(vitrina.COMMANDS)


@both
def test_its_make_targets_exist(readme: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = set(re.findall(r"\bmake ([a-z]+)", code(readme)))
    assert {"demo", "test", "run", "check", "bench", "load", "soak"} <= called <= targets


@every_page
def test_its_links_lead_somewhere(page: str) -> None:
    text = text_of(page)
    links = re.findall(r"\]\(([^)#]+)", text) + re.findall(r'(?:src|href)="([^"#]+)"', text)
    local = [link for link in links if not re.match(r"\w+:", link)]
    assert local
    assert [link for link in local if not (ROOT / page).parent.joinpath(link).exists()] == []


@both
def test_what_a_command_printed_names_no_place_of_its_own(readme: str) -> None:
    assert not re.search(r"/(?:home|root|tmp|work)/", text_of(readme))


def test_both_readmes_show_the_same_commands() -> None:
    english, russian = (re.findall(r"^(?:make|vitrina) .*", code(one), re.M) for one in READMES)
    drop = re.compile(r"\s*#.*|[«\"“].*?[»\"”]|\s{2,}.*")
    assert [drop.sub("", line) for line in english] == [drop.sub("", line) for line in russian]


def test_the_pictures_are_used_and_not_heavy() -> None:
    pictures = sorted((ROOT / "docs" / "img").glob("*.png"))
    text = "".join(text_of(readme) for readme in READMES)
    assert [picture.name for picture in pictures if picture.name not in text] == []
    assert sum(picture.stat().st_size for picture in pictures) < PICTURES_LIMIT_BYTES
