"""The mock enhancer: the cleaned prompt as it is, for tests and for `enhance` switched off."""

from __future__ import annotations

from pipeline.types import Brief, Prompt


class MockEnhancer:
    """Changes nothing: render and intent are the person's own cleaned words."""

    name = "mock"

    async def enhance(self, brief: Brief) -> Prompt:
        return Prompt(
            render=brief.subject,
            negative="",
            intent=brief.subject,
            backend=self.name,
        )
