"""The command line: one `vitrina`, its commands kept by the packages that do the work.

Only the command that was asked for is imported, so that `vitrina --help` is quick and no process
loads what it doesn't use.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import re
import sys
import webbrowser
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from structlog.typing import Processor

    from workers import local
    from workers.supervisor import Child

COMMANDS: dict[str, tuple[str, str]] = {
    "generate": ("pipeline.cli:generate", "Turn an idea into ranked pictures, without the bot."),
    "enhance": ("pipeline.cli:enhance", "Show the English prompt that an idea becomes."),
    "judge": ("pipeline.cli:judge", "Score and rank pictures against an idea."),
    "demo": ("vitrina:demo", "Try the whole product here, with a chat page in place of Telegram."),
    "run": ("vitrina:run_here", "Run the whole product here, on real Telegram (needs BOT_TOKEN)."),
    "bot": ("bot.cli:bot", "Run the bot: it listens to Telegram, by polling or a webhook."),
    "worker": ("workers.cli:app", "Run one worker process: gpu makes pictures, io delivers them."),
    "playground": ("playground.cli:playground", "Run a Bot API server with a chat page, alone."),
    "migrate": ("db.cli:migrate", "Bring the database's tables up to date."),
    "plans": ("db.plans_cli:app", "Show the plans, and change what they give and cost."),
    "health": ("db.cli:health", "Say whether a process of this host is alive (for containers)."),
    "wallet": (
        "bot.wallet_cli:app",
        "Show, credit and check wallets; give payments back; reconcile.",
    ),
    "models": ("pipeline.models_cli:app", "Fetch, show and check the files of the real models."),
    "judge-eval": ("pipeline.eval_cli:judge_eval", "Measure how well a judge agrees with people."),
    "doctor": ("pipeline.cli:doctor", "Say what will run on this machine, and what won't and why."),
}
"""Name -> where its function (or typer.Typer of subcommands) is, and its line in the help."""

OPERATORS = ("plans", "wallet")
"""Commands about what a running product has stored."""

FAILURES = (
    "pipeline.errors:PipelineError",
    "playground.embedded:EmbeddedError",
    "workers.local:LocalError",
    "workers.supervisor:ChildError",
)
"""Errors that say in one line what is wrong; anything else is a defect and has a traceback."""

MISTAKES = ("bot.errors:CannotStart",)
"""Failures that an operator must put right: exit code 2, so that nobody starts it again."""

LOG_FORMATS = ("console", "json")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_CHATTY = ("alembic", "httpx", "pymorphy3")
"""Libraries that report every step they take."""

_SECRETS = (
    (re.compile(r"(?<!\d)(\d+):[\w-]{30,}"), r"\1:***"),
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s/\"']+@"), r"\1***@"),
)


def main() -> None:
    """The console script. Exit codes: 0 done, 1 failed, 2 asked wrongly, 130 interrupted."""
    sys.exit(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Runs one command and words what goes wrong; returns the exit code."""
    # Python's own 700 has it look for cycles all the time while aiogram is imported, in vain.
    gc.set_threshold(10_000)
    name = next((word for word in argv if not word.startswith("-")), None)
    try:
        if name in COMMANDS:
            configure_logging()
        if name in OPERATORS:
            _find_servers()
        command = typer.main.get_command(_app(name))
        return command.main(list(argv) or ["--help"], "vitrina", standalone_mode=False) or 0
    except typer.TyperException as error:
        return _fail(error.format_message(), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        return _explain(error)


def _find_servers() -> None:
    """Where the environment names no servers, those of a `demo` or `run` in this folder."""
    if not os.environ.get("DATABASE_URL") and not os.environ.get("REDIS_URL"):
        from playground import embedded

        os.environ |= embedded.urls(_STATE_DIR)


_STATE_DIR = Path(".vitrina")
_StateDir = Annotated[Path, typer.Option(help="Where the data is kept.")]


def demo(
    port: Annotated[int, typer.Option(help="Where the chat page is.", min=1, max=65535)] = 8081,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Don't open the page.")] = False,
    state_dir: _StateDir = _STATE_DIR,
) -> None:
    """Run everything on this machine, with a chat page in place of Telegram, until Ctrl-C."""
    from workers import local

    def open_page(url: str) -> None:
        if not no_browser and local.has_screen():
            webbrowser.open(url)

    _run_locally(
        local.Plan(
            program=_PROGRAM,
            state_dir=state_dir,
            database=local.Backing("DATABASE_URL", _embedded("postgres", state_dir)),
            redis=local.Backing("REDIS_URL", _embedded("redis", state_dir)),
            migrate=_migrate,
            playground_port=port,
            on_open=open_page,
        )
    )


def run_here(state_dir: _StateDir = _STATE_DIR) -> None:
    """Run everything on this machine, on real Telegram, until Ctrl-C.

    DATABASE_URL and REDIS_URL name servers to use instead of the embedded ones.
    """
    from workers import local

    if not os.environ.get("BOT_TOKEN"):
        raise local.LocalError("BOT_TOKEN is not set: ask @BotFather for one, it is free")
    _run_locally(
        local.Plan(
            program=_PROGRAM,
            state_dir=state_dir,
            database=local.Backing(
                "DATABASE_URL", _given_or("postgres", "DATABASE_URL", state_dir)
            ),
            redis=local.Backing("REDIS_URL", _given_or("redis", "REDIS_URL", state_dir)),
            migrate=_migrate,
        )
    )


_PROGRAM = (sys.executable, str(Path(__file__).resolve()))


def _run_locally(plan: local.Plan) -> None:
    import asyncio

    from workers import local
    from workers.supervisor import Console

    asyncio.run(local.run(plan, Console()))


def _given_or(server: str, variable: str, state_dir: Path) -> local.Prepare:
    url = os.environ.get(variable)
    return (lambda: (url, None)) if url else _embedded(server, state_dir)


def _embedded(server: str, state_dir: Path) -> local.Prepare:
    """How to start one of the servers of `playground.embedded`."""

    def prepare() -> tuple[str, Child]:
        from playground import embedded
        from workers.supervisor import Child

        make, chatter = {
            "postgres": (embedded.postgres, r" LOG:  |system is starting up"),
            "redis": (embedded.redis, r"overcommit|signal-handler|ready to exit"),
        }[server]
        made = make(state_dir)
        child = Child(
            made.name,
            made.argv,
            ready=made.answers,
            stop_signal=made.stop_signal,
            orphan_signal=made.stop_signal,
            grace_s=20.0,
            chatter=re.compile(chatter),
        )
        return made.url, child

    return prepare


def _migrate(url: str) -> None:
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from db import migrate
    from workers import local

    try:
        migrate.upgrade(url)
    except (CommandError, OSError, SQLAlchemyError) as error:
        raise local.LocalError(f"can't use the database: {_one_line(error)}") from error


def configure_logging() -> None:
    """structlog over stdlib, to stderr: readable lines, or JSON with `LOG_FORMAT=json`.

    `LOG_LEVEL` is a level's name, INFO by default. What structlog's contextvars hold (a request's
    id) is on every line; bot tokens and the passwords of URLs are on none. Raises
    typer.BadParameter.
    """
    level = _variable("LOG_LEVEL", "INFO", _LEVELS, str.upper)
    style = _variable("LOG_FORMAT", "console", LOG_FORMATS, str.lower)

    import structlog

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso" if style == "json" else "%H:%M:%S"),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(style),
                _redacted,
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(
            max(logging.WARNING, logging.getLevelNamesMapping()[level])
        )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _renderers(style: str) -> list[Processor]:
    """What turns a line's values into text."""
    import structlog

    if style == "json":
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
            pad_event_to=0,
        )
    ]


def redact(text: str) -> str:
    """The text without bot tokens and without the passwords in URLs."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _redacted(logger: Any, method: str, line: MutableMapping[str, Any] | str) -> str:
    """The last processor: sees the whole line as it will be written, tracebacks included."""
    return redact(str(line))


def _variable(name: str, default: str, allowed: Sequence[str], normal: Callable[[str], str]) -> str:
    value = normal(os.environ.get(name) or default)
    if value not in allowed:
        raise typer.BadParameter(f"{value!r}, one of: {', '.join(allowed)}", param_hint=name)
    return value


def _app(wanted: str | None) -> typer.Typer:
    """All commands by name and help line; only the wanted one is imported."""
    app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
    app.callback(help="A rough idea in, a ranked set of ready-to-post pictures out.")(_root)
    for name, (place, help_line) in COMMANDS.items():
        if name != wanted:
            app.command(name, help=help_line)(_not_loaded)
            continue
        module, _, attribute = place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, help=help_line)
        else:
            app.command(name, short_help=help_line)(found)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"vitrina {version('vitrina')}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Exists for its options."""


def _not_loaded() -> None:
    raise AssertionError("a command that was not asked for was called")


def _explain(error: Exception) -> int:
    if _is_bad_setting(error):
        return _fail(_bad_setting(error), 2)
    if _is_one_of(MISTAKES, error):
        return _fail(_one_line(error), 2)
    if isinstance(error, OSError) or _is_one_of(FAILURES, error) or _is_away(error):
        return _fail(_one_line(error), 1)
    logging.getLogger("vitrina").critical("unexpected error", exc_info=error)
    return _fail(f"unexpected {type(error).__name__}; the traceback above is worth a report", 1)


def _is_one_of(places: Sequence[str], error: Exception) -> bool:
    """Whether it is one of these classes; a module that isn't loaded can't have raised it."""
    for place in places:
        module, _, name = place.partition(":")
        if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
            return True
    return False


def _is_away(error: Exception) -> bool:
    """Whether Postgres or Redis could not be reached; a process that uses neither has no such."""
    patience = sys.modules.get("db.patience")
    return patience is not None and patience.is_away(error)


def _is_bad_setting(error: Exception) -> bool:
    from pydantic import ValidationError

    return isinstance(error, ValidationError)


def _bad_setting(error: Any) -> str:
    """pydantic's findings in one line, by the names the environment uses."""
    from pydantic_settings import BaseSettings

    prefixes = {
        c.__name__: c.model_config.get("env_prefix", "") for c in BaseSettings.__subclasses__()
    }
    findings = []
    for finding in error.errors(include_url=False, include_input=False):
        field = "_".join(str(part) for part in finding["loc"]).upper()
        prefix = prefixes.get(error.title, "")
        name = field if field.startswith(prefix) else f"{prefix}{field}"
        said = str(finding["msg"]).removeprefix("Value error, ")
        findings.append(f"{name} is not set" if finding["type"] == "missing" else f"{name}: {said}")
    return f"bad setting: {'; '.join(findings)}"


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _fail(message: str, code: int) -> int:
    typer.echo(f"Error: {redact(message)}", err=True)
    return code


if __name__ == "__main__":
    main()
