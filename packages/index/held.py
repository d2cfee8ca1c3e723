"""What this process holds of virtuals: their trees, and the decisions made for names.

A page is merged when something beneath has changed, not for each reader: what is held counts as
long as the stamps of the virtual and of everything beneath it are the present ones. They are read
anew for each request, all in one question. Where upstreams were asked, it also ends by itself, so
that they are asked again before what they said is no longer fresh.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from accounts.principal import Principal
from base import clock
from base.stamps import Stamp
from packages.filenames import NormalizedName
from packages.index.base import SourceIndex
from packages.index.decision import Decision, decide
from repos.models import Repository
from repos.stamps import stamps
from repos.virtuals import Source, Tree, readable_beneath, stamps_and_readable, tree_of

Stamps = Mapping[int, Stamp]
OpenSource = Callable[[Source], SourceIndex]
Key = tuple[int, NormalizedName, frozenset[int]]

# Of all decisions held, about; and what one takes beside its lines, for each repository that it
# stands on, and for each line. A name that nobody has is decided as well.
_BYTES_AT_MOST = 32 * 1024 * 1024
_BESIDE = 1_000
_FOR_EACH_STAMP = 200
_FOR_EACH_LINE = 500
_TREES_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """A virtual's tree as of this request, and the stamps that it was read under."""

    tree: Tree
    # None: it changed while it was read, so nothing made of it is to be held.
    stamps: Stamps | None


@dataclass(frozen=True, slots=True)
class Made:
    """A decision, and what it stands on."""

    decision: Decision
    # None: it is good for this once.
    stamps: Stamps | None
    # When the first of the upstreams that were asked is to be asked again; None: none was.
    until: datetime | None


_lock = Lock()
_trees: OrderedDict[int, tuple[Tree, Stamps]] = OrderedDict()
_decisions: OrderedDict[Key, Made] = OrderedDict()
_bytes = 0


def standing(virtual: Repository, by: Principal) -> tuple[Standing, frozenset[int]]:
    """Return the tree of `virtual`, and which of what is beneath it `by` may read.

    The held tree where it is still true, in one question; else it is read anew.
    """
    with _lock:
        held = _trees.get(virtual.pk)
    if held is not None:
        tree, made_under = held
        present, readable = stamps_and_readable(made_under, by)
        if _is_still(tree, made_under, present):
            return Standing(tree, present), readable - {virtual.pk}
    where = _read_anew(virtual)
    return where, readable_beneath(by, where.tree)


def _read_anew(virtual: Repository) -> Standing:
    # Stamps are read before the rows that they vouch for. Whose, the rows themselves say.
    present = stamps(_ids(tree_of(virtual)))
    tree = tree_of(virtual)
    if present.keys() != _ids(tree):
        return Standing(tree, None)
    with _lock:
        _trees[virtual.pk] = (tree, present)
        _trees.move_to_end(virtual.pk)
        if len(_trees) > _TREES_AT_MOST:
            _trees.popitem(last=False)
    return Standing(tree, present)


def decided(
    where: Standing,
    name: NormalizedName,
    readable: frozenset[int],
    open_source: OpenSource,
    *,
    holds: bool = True,
) -> Made:
    """Return the decision for a name: the held one where it is still true, else a new one.

    A new one is held for others if it `holds`: if it was made as clients would have it made. So
    is every one that no upstream had a part in.
    """
    key = (where.tree.virtual.pk, name, readable)
    with _lock:
        held = _decisions.get(key)
        if held is not None and held.stamps == where.stamps and _is_fresh(held):
            _decisions.move_to_end(key)
            return held
    decision, until = _decide(where.tree, name, readable, open_source)
    holds = holds or until is None
    if not holds or where.stamps is None or decision.unavailable is not None:
        return Made(decision, None, None)
    made = Made(decision, where.stamps, until)
    _hold(key, made)
    return made


def _decide(
    tree: Tree, name: NormalizedName, readable: frozenset[int], open_source: OpenSource
) -> tuple[Decision, datetime | None]:
    """Decide anew, and say when the first upstream that was asked is to be asked again."""
    opened: list[SourceIndex] = []

    def ask(source: Source) -> SourceIndex:
        opened.append(open_source(source))
        return opened[-1]

    decision = decide(tree, name, readable, ask)
    return decision, min((each.until for each in opened if each.until), default=None)


def forget() -> None:
    """Let go of everything that is held."""
    global _bytes  # noqa: PLW0603 - as in `_hold`
    with _lock:
        _trees.clear()
        _decisions.clear()
        _bytes = 0


def _is_fresh(held: Made) -> bool:
    return held.until is None or clock.now() < held.until


def _hold(key: Key, made: Made) -> None:
    """Hold a decision, and let go of those that nobody has asked for the longest."""
    global _bytes  # noqa: PLW0603 - a count beside what it counts, under one lock
    with _lock:
        replaced = _decisions.pop(key, None)
        _decisions[key] = made
        _bytes += _weight(made) - (_weight(replaced) if replaced else 0)
        # One that is larger than all the room is held alone: else it is made for each reader.
        while _bytes > _BYTES_AT_MOST and len(_decisions) > 1:
            _, dropped = _decisions.popitem(last=False)
            _bytes -= _weight(dropped)


def _weight(made: Made) -> int:
    stamps = _FOR_EACH_STAMP * len(made.stamps or ())
    return _BESIDE + stamps + _FOR_EACH_LINE * len(made.decision.lines)


def _ids(tree: Tree) -> set[int]:
    return {tree.virtual.pk, *tree.beneath}


def _is_still(tree: Tree, made_under: Stamps, present: Stamps) -> bool:
    """Say whether members and settings are what they were; contents of sources may have moved."""
    return present.keys() == made_under.keys() and all(
        present[each] == stamp if each in tree.virtuals else present[each].epoch == stamp.epoch
        for each, stamp in made_under.items()
    )
