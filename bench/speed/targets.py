"""What we want to reach, as ratios within one run, and how far each of them was met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.speed.peers.larder import ALONE, IN_PRODUCTION
from bench.speed.peers.static import NAME as STATIC
from bench.speed.results import Results, ratio

_FASTEST_PEER = "the fastest peer"
P99_AT_MOST = 3.0  # times that of nginx


@dataclass(frozen=True)
class Target:
    """One ratio: what of whom, at least how much, of what of whom."""

    case: str
    who: str
    at_least: float
    to: str
    to_case: str = ""  # another case than the first


def _small_pages() -> Iterator[Target]:
    for case in ("small-html", "small-json", "small-304", "metadata"):
        yield Target(case, ALONE, 9, _FASTEST_PEER)
        yield Target(case, ALONE, 0.08, STATIC)
        yield Target(case, IN_PRODUCTION, 30, _FASTEST_PEER)
        yield Target(case, IN_PRODUCTION, 0.3, STATIC)
    for case in ("small-304", "metadata"):
        for who in (ALONE, IN_PRODUCTION):
            yield Target(case, who, 1, who, "small-json")


def _others() -> Iterator[Target]:
    for who in (ALONE, IN_PRODUCTION):
        yield Target("in-turn", who, 0.8, who, "small-json")
        for case in ("large-html", "large-json", "root-html", "root-json"):
            yield Target(case, who, 0.5, STATIC)
        yield Target("virtual-30", who, 0.9, who, "small-json")
    for case in ("wheel-1", "wheel-8"):
        yield Target(case, IN_PRODUCTION, 0.9, STATIC)
        yield Target(case, ALONE, 0.7, STATIC)
    for who in (ALONE, IN_PRODUCTION):
        yield Target("small-wheel", who, 10, _FASTEST_PEER)
        yield Target("upload-1", who, 3, "devpi")
        yield Target("upload-8", who, 5, "devpi")
        yield Target("upload-1", who, 0.4, "pypiserver")
        yield Target("upload-8", who, 0.8, "pypiserver")
        yield Target("upload-large", who, 0.8, who, "upload-1")
        yield Target("upload-big", who, 2.5, _FASTEST_PEER)


TARGETS = (*_small_pages(), *_others())


@dataclass(frozen=True)
class Outcome:
    """A target and what was reached; None where a figure is missing."""

    target: Target
    reached: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether it was reached; None where nobody knows."""
        return None if self.reached is None else self.reached >= self.target.at_least


def outcomes(results: Results, registries: Sequence[str]) -> Iterator[Outcome]:
    """Yield what was reached of each target."""
    for target in TARGETS:
        case = target.to_case or target.case
        base = (
            results.best(case, registries)
            if target.to == _FASTEST_PEER
            else results.value(case, target.to)
        )
        yield Outcome(target, ratio(results.value(target.case, target.who), base))


@dataclass(frozen=True)
class Latency:
    """A 99th percentile as a multiple of nginx's; None where a figure is missing."""

    case: str
    who: str
    times: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether it is as low as we want."""
        return None if self.times is None else self.times <= P99_AT_MOST


def latencies(results: Results) -> Iterator[Latency]:
    """Yield the 99th percentiles of small pages."""
    for case in ("small-html", "small-json"):
        limit = results.cell(case, STATIC).p99
        for who in (ALONE, IN_PRODUCTION):
            yield Latency(case, who, ratio(results.cell(case, who).p99, limit))
