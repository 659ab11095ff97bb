"""The container files can't be run by these tests; what they name must at least exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

import vitrina
from bot.settings import BotSettings, PaymentTerms
from db.settings import DatabaseSettings
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from workers.settings import WorkerSettings

_ROOT = Path(__file__).parent.parent
_COMPOSE: dict[str, Any] = yaml.safe_load((_ROOT / "docker-compose.yml").read_text())
_DOCKERFILE = (_ROOT / "Dockerfile").read_text()
_OURS = [name for name, service in _COMPOSE["services"].items() if service.get("build")]


def _known_variables() -> set[str]:
    settings: tuple[type[BaseSettings], ...] = (
        BotSettings,
        PaymentTerms,
        DatabaseSettings,
        PipelineSettings,
        WorkerSettings,
    )
    named = set()
    for one in settings:
        for name, field in one.model_fields.items():
            alias = field.validation_alias
            own = f"{one.model_config.get('env_prefix', '')}{name}"
            choices = alias.choices if isinstance(alias, AliasChoices) else [own]
            named |= {str(choice).upper() for choice in choices}
    return named | {"LOG_FORMAT", "LOG_LEVEL"}


def test_every_part_of_the_product_is_a_service() -> None:
    services = set(_COMPOSE["services"])
    assert services >= {"bot", "worker-gpu", "worker-io", "postgres", "redis", "ollama", "migrate"}


@pytest.mark.parametrize("service", _OURS)
def test_a_service_sets_only_variables_that_the_settings_know(service: str) -> None:
    assert set(_COMPOSE["services"][service]["environment"]) <= _known_variables()


@pytest.mark.parametrize("service", _OURS)
def test_a_service_runs_a_command_that_exists(service: str) -> None:
    assert _COMPOSE["services"][service]["command"][0] in vitrina.COMMANDS


def test_only_the_worker_that_runs_models_is_built_with_their_libraries() -> None:
    built = {name: _COMPOSE["services"][name]["build"] for name in _OURS}
    assert built.pop("worker-gpu")["args"] == {"EXTRAS": "ml"}
    assert set(built.values()) == {"."}
    images = {_COMPOSE["services"][name]["image"] for name in built}
    assert _COMPOSE["services"]["worker-gpu"]["image"] not in images
    extras = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    assert "ml" in extras["optional-dependencies"]
    assert set(re.findall(r"^ARG (\w+)", _DOCKERFILE, re.MULTILINE)) == {"EXTRAS", "TORCH_INDEX"}


@pytest.mark.parametrize("service", _OURS)
def test_what_is_kept_lies_in_volumes_that_the_image_may_write_to(service: str) -> None:
    [line] = re.findall(r"install -d -o vitrina (.+)$", _DOCKERFILE, re.MULTILINE)
    mounted = dict(volume.split(":") for volume in _COMPOSE["services"][service]["volumes"])
    assert set(mounted) <= set(_COMPOSE["volumes"])
    assert set(mounted.values()) <= set(line.split())
    environment = _COMPOSE["services"][service]["environment"]
    places = {"IMAGES_URL", "MODELS_DIR"} & set(environment)
    assert {environment[name] for name in places} == set(mounted.values())


def test_models_are_chosen_from_outside_and_run_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENHANCER", "GENERATOR", "JUDGE"):
        value = _COMPOSE["services"]["worker-gpu"]["environment"][f"PIPELINE_{name}"]
        [default] = re.findall(rf"^\${{PIPELINE_{name}:-(\w+)}}$", value)
        monkeypatch.setenv(f"PIPELINE_{name}", default)
    Pipeline.from_settings(PipelineSettings())


def test_secrets_have_no_default() -> None:
    text = (_ROOT / "docker-compose.yml").read_text()
    for name in ("BOT_TOKEN", "POSTGRES_PASSWORD"):
        assert set(re.findall(rf"\${{{name}(..)", text)) == {":?"}


def test_migrations_run_once_and_before_everything_else() -> None:
    for name in _OURS:
        waits_for = _COMPOSE["services"][name]["depends_on"]
        if name == "migrate":
            assert waits_for["postgres"]["condition"] == "service_healthy"
        else:
            assert waits_for["migrate"]["condition"] == "service_completed_successfully"


def test_the_image_copies_every_package_and_runs_as_nobody_special() -> None:
    packages = {path.parent.name for path in _ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert set(re.findall(r"^COPY (\w+) \1$", _DOCKERFILE, re.MULTILINE)) == packages
    last_stage = _DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER (?!root)", last_stage, re.MULTILINE)


def test_the_image_sets_and_calls_only_what_exists() -> None:
    [line] = re.findall(r"^ENV ((?:.+\\\n)*.+)$", _DOCKERFILE, re.MULTILINE)
    names = set(re.findall(r"(\w+)=", line)) - {"PATH", "PYTHONUNBUFFERED"}
    assert names <= _known_variables()
    [checked] = re.findall(r'HEALTHCHECK .*CMD \["vitrina", "(\w+)"\]', _DOCKERFILE)
    assert checked in vitrina.COMMANDS
