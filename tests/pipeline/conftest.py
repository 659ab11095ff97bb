"""Tiny diffusion models, made once a run, and generators that draw by them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline import models
from pipeline.generate.diffusion import DiffusionGenerator
from tests.pipeline import tiny_diffusion
from tests.pipeline.tiny_diffusion import Made, settings_of


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MODELS_DIR with every tiny model, under the names of the real ones."""
    folder = tmp_path_factory.mktemp("hub")
    tiny_diffusion.save(models.STABLE_DIFFUSION.path(folder))
    tiny_diffusion.save_lcm(folder / "someone--tiny-lcm")
    tiny_diffusion.save_xl(folder / "someone--tiny-xl")
    tiny_diffusion.save_sd3(folder / "someone--tiny-sd3")
    tiny_diffusion.save_tiny_vae(models.TINY_VAE.path(folder))
    lora = models.LCM_LORA.path(folder) / models.LCM_LORA.wanted[0]
    tiny_diffusion.save_lora(lora)
    return folder


@pytest.fixture(scope="session")
def made(hub: Path) -> Made:
    """Generators by their settings, one of each."""
    known: dict[str, DiffusionGenerator] = {}

    def make(**chosen: object) -> DiffusionGenerator:
        key = repr(sorted(chosen.items()))
        if key not in known:
            known[key] = DiffusionGenerator(settings_of(hub, **chosen))
        return known[key]

    return make


@pytest.fixture
def own_model(hub: Path, tmp_path: Path) -> Path:
    """A copy of the default model, to be spoilt."""
    return Path(shutil.copytree(models.STABLE_DIFFUSION.path(hub), tmp_path / "own"))
