"""Stable Diffusion's safety checker: tells pictures that are not for everybody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pipeline.errors import BackendUnavailable
from pipeline.generate.checkpoint import Checker
from pipeline.generate.device import Runtime
from pipeline.judge.preprocess import Preprocess

if TYPE_CHECKING:
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker


class SafetyChecker:
    """CLIP's picture of a picture against fixed concepts (arXiv 2210.04610 looks inside)."""

    def __init__(
        self, model: StableDiffusionSafetyChecker, preprocess: Preprocess, runtime: Runtime
    ) -> None:
        self._model = model
        self._preprocess = preprocess
        self._device = runtime.device

    @classmethod
    def load(cls, files: Checker, runtime: Runtime) -> SafetyChecker:
        """Raises BackendUnavailable."""
        import torch
        from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker

        from pipeline.generate.parts import cast

        try:
            preprocess = Preprocess.from_config(json.loads(files.preprocessor.read_text()))
            model = StableDiffusionSafetyChecker.from_pretrained(
                files.folder, use_safetensors=True, local_files_only=True, dtype=torch.float32
            )
        except BackendUnavailable:
            raise
        except Exception as error:  # transformers raises nothing narrower
            raise BackendUnavailable(
                "diffusion", f"{files.folder} can't be loaded: {error}"
            ) from error
        # The thresholds are exact to 0.001: cosines are taken in fp32, only the tower is quicker.
        if runtime.dtype != torch.float32:
            cast(model.vision_model, runtime.dtype)
        return cls(model.eval().to(runtime.device), preprocess, runtime)

    def flags(self, image: Image.Image) -> bool:
        import torch

        pixels = torch.from_numpy(self._preprocess.batch([image])).to(self._device)
        # It would black the picture out; a dot does for that.
        dot = np.zeros((1, 1, 1, 3), dtype=np.float32)
        with torch.inference_mode():
            _, flagged = self._model(clip_input=pixels, images=dot)
        return bool(flagged[0])
