"""The container files can't be run by these tests; what they name must at least exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

import vitrina
from bot.settings import BotSettings
from db.settings import DatabaseSettings
from pipeline.settings import PipelineSettings
from workers.settings import WorkerSettings

_ROOT = Path(__file__).parent.parent
_COMPOSE: dict[str, Any] = yaml.safe_load((_ROOT / "docker-compose.yml").read_text())
_DOCKERFILE = (_ROOT / "Dockerfile").read_text()
_OURS = [name for name, service in _COMPOSE["services"].items() if service.get("build")]


def _known_variables() -> set[str]:
    settings: tuple[type[BaseSettings], ...] = (
        BotSettings,
        DatabaseSettings,
        PipelineSettings,
        WorkerSettings,
    )
    named = {
        f"{one.model_config.get('env_prefix', '')}{field}".upper()
        for one in settings
        for field in one.model_fields
    }
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
    [line] = re.findall(r"^ENV (.+)$", _DOCKERFILE, re.MULTILINE)
    names = set(re.findall(r"(\w+)=", line)) - {"PATH", "PYTHONUNBUFFERED"}
    assert names <= _known_variables()
    [checked] = re.findall(r'HEALTHCHECK .*CMD \["vitrina", "(\w+)"\]', _DOCKERFILE)
    assert checked in vitrina.COMMANDS
