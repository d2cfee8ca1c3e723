"""What we want to reach, mostly as ratios within one run, and how far each of them was met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.speed.corpus import MIB
from bench.speed.peers.larder import ALONE, IN_PRODUCTION
from bench.speed.peers.larder_grown import FEW, MANY
from bench.speed.peers.larder_hosts import ONE, TWO
from bench.speed.peers.static import NAME as STATIC
from bench.speed.portions import Portion
from bench.speed.results import Results, ratio

FASTEST_PEER = "the fastest peer"
P99_AT_MOST = 3.0  # times that of nginx
_FLAT = 4  # MiB: what is no growth


@dataclass(frozen=True)
class Target:
    """The figure of a case, or what multiple it is of another, and its bound: at least, or most."""

    case: str
    who: str
    bound: float
    to: str = ""  # empty: the figure itself
    to_case: str = ""  # another case than the first
    at_most: bool = False


def _small_pages() -> Iterator[Target]:
    for case in ("small-html", "small-json"):
        yield Target(case, ALONE, 9, FASTEST_PEER)
        yield Target(case, ALONE, 0.08, STATIC)
        yield Target(case, IN_PRODUCTION, 30, FASTEST_PEER)
        yield Target(case, IN_PRODUCTION, 0.3, STATIC)
    for case in ("small-304", "metadata"):
        for who in (ALONE, IN_PRODUCTION):
            yield Target(case, who, 1, who, "small-json")


def _others() -> Iterator[Target]:
    for who in (ALONE, IN_PRODUCTION):
        yield Target("in-turn", who, 0.8, who, "small-json")
        for case in (
            *("large-html", "large-json", "large-gzip"),
            *("root-html", "root-json", "root-gzip"),
        ):
            yield Target(case, who, 0.5, STATIC)
        yield Target("virtual-30", who, 0.9, who, "small-json")
    for case in ("wheel-1", "wheel-8"):
        yield Target(case, IN_PRODUCTION, 0.9, STATIC)
        yield Target(case, ALONE, 0.7, STATIC)
    for who in (ALONE, IN_PRODUCTION):
        yield Target("small-wheel", who, 10, FASTEST_PEER)
        for case in ("upload-1", "upload-one"):
            yield Target(case, who, 3, "devpi")
            yield Target(case, who, 0.4, "pypiserver")
        yield Target("upload-8", who, 5, "devpi")
        yield Target("upload-8", who, 0.8, "pypiserver")
        yield Target("upload-large", who, 0.8, who, "upload-1")
        yield Target("upload-big", who, 2.5, FASTEST_PEER)
        yield Target("upload-big-memory", who, 16e6 / MIB, at_most=True)
        yield Target("first-read", who, 0.3, at_most=True)
        yield Target("mix", who, 2 / 3)


def _clients() -> Iterator[Target]:
    for who in (ALONE, IN_PRODUCTION):
        for case, times in (
            ("compile-cold", 1.3),
            ("compile-warm", 2.5),
            ("pip-install", 1.1),
            ("proxy-cold", 1.4),
            ("proxy-warm", 1.3),
            ("proxy-second", 1.3),
        ):
            yield Target(case, who, times, STATIC, at_most=True)
        yield Target("proxy-crowd", who, 1, at_most=True)


def _growth() -> Iterator[Target]:
    for case in ("grown-page", "grown-pages", "grown-upload"):
        yield Target(case, MANY, 1 / 1.2, FEW)
    for case in ("grown-first", "grown-rare", "grown-common"):
        yield Target(case, MANY, 1.2, FEW, at_most=True)
    yield Target("grown-start", MANY, 3, at_most=True)
    yield Target("grown-flat", MANY, _FLAT, at_most=True)
    yield Target("grown-memory", MANY, 250e6 / MIB, at_most=True)


def _hosts() -> Iterator[Target]:
    yield Target("hosts-cost", TWO, 1.1, ONE, at_most=True)
    for case in ("hosts-visible", "hosts-revoked"):
        for who in (ONE, TWO):
            yield Target(case, who, 0, at_most=True)


TARGETS = (*_small_pages(), *_others(), *_clients(), *_growth(), *_hosts())
# By case: the other one whose rate it is judged by.
JUDGED_BY = {each.case: each.to_case for each in TARGETS if each.to_case}


@dataclass(frozen=True)
class Outcome:
    """A target and what was reached; None where a figure is missing."""

    target: Target
    reached: float | None
    peer: str = ""  # who was the fastest, where the target is of that
    caches: Mapping[str, float] = field(default_factory=dict)  # the same ratio with each of these

    @property
    def is_met(self) -> bool | None:
        """Whether it was reached; None where nobody knows."""
        if self.reached is None:
            return None
        bound = self.target.bound
        return self.reached <= bound if self.target.at_most else self.reached >= bound


def outcomes(
    portions: Sequence[Portion], registries: Sequence[str], caches: Sequence[str] = ()
) -> Iterator[Outcome]:
    """Yield what was reached of each target of which anything was measured.

    The figures of two runs are no ratio. The fastest peer is one of the registries; caches have no
    files of their own, and what they would make of the ratio is told beside.
    """
    for target in TARGETS:
        base = target.to_case or target.case
        rows = [each.results for each in portions if target.case in each.results.cases()]
        if rows:
            both = rows[0] if base in rows[0].cases() else Results()
            if target.to == FASTEST_PEER:
                yield _with_the_fastest(target, both, registries, caches)
            else:
                value = both.value(target.case, target.who)
                reached = ratio(value, both.value(base, target.to)) if target.to else value
                yield Outcome(target, reached)


def _with_the_fastest(
    target: Target, results: Results, registries: Sequence[str], caches: Sequence[str]
) -> Outcome:
    def times(who: str) -> float | None:
        return ratio(results.value(target.case, target.who), results.value(target.case, who))

    peer = results.fastest(target.case, registries)
    beside = {each: found for each in caches if (found := times(each)) is not None}
    return Outcome(target, times(peer) if peer else None, peer or "", beside)


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
