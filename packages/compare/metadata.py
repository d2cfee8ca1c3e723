"""What the metadata, the requirements and the entry points of two files do not say alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packages.compare.sides import Side

# These differ in every release, or are shown by themselves.
_LEFT_OUT = {"name", "version", "description", "requires_dist"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that both sides may say something of: what only one of them says."""

    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def state(self) -> str:
        """Return what became of it, in a word."""
        if not self.old:
            return "added"
        return "changed" if self.new else "removed"


def field_changes(old: Side, new: Side) -> list[Change]:
    """Return the core metadata fields that differ, each with the values of one side alone.

    The README is the last of them.
    """
    names = {key: field.name for side in (old, new) for key, field in side.fields.items()}
    before = {key: field.values for key, field in old.fields.items()}
    after = {key: field.values for key, field in new.fields.items()}
    kept = {key: name for key, name in names.items() if key not in _LEFT_OUT}
    return [*_changes(before, after, kept), *_readme_change(old, new)]


def requirement_changes(old: Side, new: Side) -> list[Change]:
    """Return the projects that are required otherwise, with what each side says of them."""
    before, after = _requirements(old), _requirements(new)
    return _changes(before, after, {name: name for name in sorted({**before, **after})})


def entry_point_changes(old: Side, new: Side) -> list[Change]:
    """Return the entry points that differ, each called by its group and name."""
    before, after = _entry_points(old), _entry_points(new)
    return _changes(before, after, {name: name for name in sorted({**before, **after})})


def _changes(
    before: Mapping[str, Iterable[str]], after: Mapping[str, Iterable[str]], names: dict[str, str]
) -> list[Change]:
    changes = []
    for key, name in names.items():
        old, new = tuple(before.get(key, ())), tuple(after.get(key, ()))
        only_old = tuple(value for value in old if value not in new)
        only_new = tuple(value for value in new if value not in old)
        if only_old or only_new:
            changes.append(Change(name, only_old, only_new))
    return changes


def _readme_change(old: Side, new: Side) -> list[Change]:
    """Return that the README differs, with how long it is: the texts are no field to be shown."""
    before, after = old.readme, new.readme
    if before == after:
        return []
    return [Change("README", _length(before), _length(after))]


def _length(text: str) -> tuple[str, ...]:
    return (f"{len(text)} characters",) if text else ()


def _requirements(side: Side) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for item in side.facts["requirements"]["items"]:
        found[item["name"] or item["text"]].append(item["text"])
    return found


def _entry_points(side: Side) -> dict[str, list[str]]:
    return {
        f"{item['group']}: {item['name']}": [item["value"]]
        for item in side.facts["entry_points"]["items"]
    }
