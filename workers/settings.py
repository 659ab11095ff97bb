"""What an operator may set of the workers: environment variables that begin with `WORKER_`."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """How much a worker takes on, and how long a silent one keeps what it took.

    `tasks_in_flight`: while one is drawn, the next is prepared and the last one stored; None is
    three where a GPU draws, else two. `account_running_cap` tasks of one account run at a time in
    all workers together. A lease runs out `lease_s` after the last heartbeat, and that of what is
    being sent `delivery_lease_s` after. `poll_every_s` is how long a lost wake-up can go unnoticed.
    """

    model_config = SettingsConfigDict(env_prefix="WORKER_", env_ignore_empty=True, frozen=True)

    tasks_in_flight: int | None = Field(default=None, ge=1, le=8)
    account_running_cap: int = Field(default=2, ge=1)
    lease_s: float = Field(default=45.0, gt=0)
    heartbeat_s: float = Field(default=10.0, gt=0)
    deliveries_in_flight: int = Field(default=8, ge=1, le=64)
    # A chat stands still so long after its sender died. Three quarters of it are left when a
    # process is told to stop: longer than it may take to finish its calls.
    delivery_lease_s: float = Field(default=12.0, gt=0)
    poll_every_s: float = Field(default=5.0, gt=0)
    sweep_every_s: float = Field(default=15.0, gt=0)
    orphan_files_after_h: float = Field(default=24.0, gt=0)

    @model_validator(mode="after")
    def _lease_outlives_heartbeats(self) -> Self:
        if self.lease_s < 2 * self.heartbeat_s:
            raise ValueError("WORKER_LEASE_S must be at least twice WORKER_HEARTBEAT_S")
        return self
