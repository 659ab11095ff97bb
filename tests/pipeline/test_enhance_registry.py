"""Enhancers by name."""

from __future__ import annotations

import pytest

from pipeline import enhance
from pipeline.brief import make_brief
from pipeline.errors import BackendUnavailable
from pipeline.settings import PipelineSettings


@pytest.mark.parametrize("name", ["lexicon", "mock"])
async def test_an_offline_enhancer_makes_a_prompt_under_its_name(name: str) -> None:
    enhancer = enhance.create(name, PipelineSettings())
    prompt = await enhancer.enhance(make_brief("чашка кофе", seed=1))
    assert (enhancer.name, prompt.backend) == (name, name)
    assert prompt.intent


async def test_mock_keeps_the_cleaned_words() -> None:
    enhancer = enhance.create("mock", PipelineSettings())
    prompt = await enhancer.enhance(make_brief("Нарисуй чашку кофе ☕", seed=1))
    assert prompt.render == prompt.intent == "чашку кофе"
    assert prompt.negative == ""


def test_an_unknown_name_is_refused_for_good() -> None:
    with pytest.raises(BackendUnavailable) as refused:
        enhance.create("oracle", PipelineSettings())
    assert refused.value.backend == "oracle"
