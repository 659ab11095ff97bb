"""What can go wrong in the pipeline.

PipelineError
├── BadBrief            the request itself can't be worked on (empty, too long, unknown format)
├── Cancelled           the caller asked to stop; nothing was made
├── BackendUnavailable  a backend is missing or misconfigured: trying again won't help
├── BackendBusy         a passing fault: worth another try after `retry_after_s`
├── BadAnswer           a language model's answer that can't be used
├── Unwritten           a language model has written nothing, for one of the faults above
├── BadImage            bytes that are no picture, or too large to decode safely
└── BadData             a file of people's choices that a judge can't be measured with
"""


class PipelineError(Exception):
    """Base of everything the pipeline raises on purpose."""


class BadBrief(PipelineError):
    """The request can't be worked on. `reason` is a short code: `empty`, `too_long`, ..."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Cancelled(PipelineError):
    """The caller's cancel flag was set."""


class BackendUnavailable(PipelineError):
    """A backend can't run here: unknown name, missing model, wrong credentials. Final.

    `code` is short and fixed, for those who must tell reasons apart.
    """

    def __init__(self, backend: str, reason: str, *, code: str = "unavailable") -> None:
        super().__init__(f"{backend}: {reason}")
        self.backend = backend
        self.reason = reason
        self.code = code


class BackendBusy(PipelineError):
    """A backend failed for now (time-out, refused connection, out of memory); `code` as above."""

    def __init__(
        self, backend: str, reason: str, retry_after_s: float = 5.0, *, code: str = "busy"
    ) -> None:
        super().__init__(f"{backend}: {reason}")
        self.backend = backend
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.code = code


class BadAnswer(PipelineError):
    """What a language model wrote can't be used. `reason` is English, for the model to mend it."""

    def __init__(self, reason: str, *, code: str = "bad_answer") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Unwritten(PipelineError):
    """A language model wrote nothing in time that can be used, so something else stands in for it.

    `code` is of the fault, or `timeout`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BadImage(PipelineError):
    """Bytes that can't be decoded as a picture, or whose pixels exceed the limit."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadData(PipelineError):
    """A file of people's choices can't be read; the message says where and why."""
