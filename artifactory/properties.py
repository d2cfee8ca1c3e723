r"""Properties as Artifactory's clients write them, and how they are set and removed.

`k=v1,v2;k2=v`: `|` divides as `;` does, and `\` takes the meaning from what follows it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from accounts.principal import Principal
from artifactory.errors import RequestUnreadable
from packages.describe import remove_properties, set_properties
from packages.models import Distribution, Property
from packages.properties import Properties, said_by
from packages.pypi_properties import NORMALIZED_NAME

# What clients send beside name and version, and the archive says better.
GENERATED = frozenset({NORMALIZED_NAME, "pypi.summary", "pypi.requires.python"})
_ESCAPED = re.compile(r"\\([=|,;\\])")
_TEXT_AT_MOST = 64 * 1024


def properties_in(text: str) -> dict[str, list[str]]:
    """Return the properties that a text says. Raises RequestUnreadable."""
    found: dict[str, list[str]] = defaultdict(list)
    if len(text) > _TEXT_AT_MOST:
        raise RequestUnreadable("These are too many properties for a URL; PATCH them as JSON.")
    for part in filter(None, _split(text, ";|")):
        name, equals, values = part.partition("=")
        if not equals:
            raise RequestUnreadable("A property is written name=value, or name=value,value.")
        found[name] += [_ESCAPED.sub(r"\1", value) for value in _split(values, ",")]
    return dict(found)


def names_in(text: str) -> list[str]:
    """Return the names of properties in `k,k2`."""
    return [each for each in text.split(",") if each]


def changes_in(found: Mapping[str, Any]) -> tuple[dict[str, list[str]], list[str]]:
    """Return what `{"props": {...}}` sets, and the names that it removes with null."""
    props = found.get("props")
    if not isinstance(props, dict):
        raise RequestUnreadable('The body is no {"props": {"name": "value"}}.')
    wanted: dict[str, list[str]] = {}
    for name, value in props.items():
        values = value if isinstance(value, list) else [value]
        if value is not None and not all(isinstance(each, str) for each in values):
            raise RequestUnreadable("A property's value is a text, a list of texts, or null.")
        if value is not None:
            wanted[name] = values
    return wanted, [name for name, value in props.items() if value is None]


def of_file(row: Distribution) -> dict[str, list[str]]:
    """Return all properties of a file, whoever says them."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in row.properties.order_by("name", "pk").values_list("name", "value"):
        found[name].append(value)
    return dict(found)


def of_files(rows: Iterable[Distribution]) -> dict[int, dict[str, list[str]]]:
    """Return all properties of several files, by the ids of these."""
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    said = Property.objects.filter(distribution__in=list(rows)).order_by("name", "pk")
    for pk, name, value in said.values_list("distribution_id", "name", "value"):
        found[pk][name].append(value)
    return found


def change(
    rows: Sequence[Distribution], wanted: Properties, gone: Iterable[str], *, by: Principal
) -> None:
    """Set and remove properties of files: of all of them, or of none.

    Clients send back what they have read, and remove what they do not name. What a file says of
    itself already is no change, and cannot be removed: it is left as it is.
    """
    names = set(gone)
    with transaction.atomic():
        # All files before the state of any repository, and each in one order (packages.changes).
        files = Distribution.objects.filter(pk__in=[row.pk for row in rows])
        list(files.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
        for row in sorted(rows, key=lambda row: (row.repository_id, row.pk)):
            present = of_file(row)
            new = {
                name: values
                for name, values in wanted.items()
                if set(values) != set(present.get(name, ())) and not _is_of_the_archive(row, name)
            }
            set_properties(row, new, by=by)
            own = names & said_by(row, Property.Origin.PERSON).keys()
            remove_properties(row, sorted(own), by=by)


def _is_of_the_archive(row: Distribution, name: str) -> bool:
    """Say whether the archive will say it once the file has its name."""
    return row.release is None and name in GENERATED


def _split(text: str, separators: str) -> list[str]:
    """Return the parts between separators that no backslash stands before."""
    inside = rf"(?:\\.|[^{re.escape(separators)}\\]|\\$)*"
    return re.findall(rf"(?:^|[{re.escape(separators)}])({inside})", text, re.DOTALL)
