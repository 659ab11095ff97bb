"""A playground on a free port for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from playground.server import running
from tests.playground.client import Playground


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    """A playground in memory."""
    async with running() as base_url, aiohttp.ClientSession() as http:
        yield Playground(base_url, http)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """Where a playground keeps its state."""
    return tmp_path / "state"
