"""Turning samples into the figures that are printed."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def p95(samples: Sequence[float]) -> float:
    """The nearest-rank 95th percentile."""
    return sorted(samples)[math.ceil(0.95 * len(samples)) - 1]


def spread(samples_s: Sequence[float]) -> str:
    """Median and p95 in milliseconds."""
    return f"median {median(samples_s) * 1000:.0f} ms, p95 {p95(samples_s) * 1000:.0f} ms"


def machine() -> str:
    """What this run was measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}"
