"""What each tab of a file's page shows, with no more questions to the database than it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django import forms
from django.db.models import Max, Sum
from django.http import HttpRequest

from accounts.principal import Principal
from accounts.roles import Role
from packages.core_fields import readable_fields
from packages.extraction.differences import differences, sides_of
from packages.file_history import EVENTS_AT_MOST, history_of
from packages.index.base import Stored
from packages.inside.members import BYTES_AT_MOST, member_text, members_in
from packages.inside.texts import lines_of, text_of, window
from packages.inside.tree import shelf
from packages.metadata import CoreMetadata, readable_metadata
from packages.models import Distribution, FileDownloads, Property, Reading, StoredMetadata
from packages.pages.file_changing import forms_for
from packages.pages.pictures import columns
from packages.pages.vouched import checked_where, claimed_by, vouching_for
from packages.properties import said_by
from packages.pypi_properties import properties_of
from packages.shown_file import upstream_line
from packages.statistics import downloads_of
from packages.tags import tags_in_words
from repos.access import Admitted, roles_of

_DAYS = 90
_DIGITS = 18  # fewer than those of the largest row id


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who looks at a file that we hold."""

    request: HttpRequest
    principal: Principal
    come_in: Admitted  # through which they look; a virtual, perhaps
    row: Distribution
    held: Stored

    @property
    def is_held_here(self) -> bool:
        """Say whether they look at the file where it is held, and not through a virtual."""
        return self.row.repository_id == self.come_in.repository.pk

    @property
    def may_write(self) -> bool:
        """Say whether to offer a form; whoever sends one with a narrower token is refused then."""
        if self.is_held_here:
            return self.come_in.may_write
        user, holder = self.principal.user, self.row.repository
        return user is not None and roles_of(user, [holder]).get(holder.pk, 0) >= Role.WRITER

    @property
    def forms(self) -> dict[str, forms.Form]:
        """Return the forms of the tab Manage: of what they may do, where the file is held."""
        return forms_for(self.row, self.come_in.role) if self.is_held_here else {}

    def asked(self, name: str) -> str:
        """Return a parameter of the URL."""
        return self.request.GET.get(name, "")

    def number(self, name: str, otherwise: int = 1) -> int:
        """Return a parameter of the URL that is a number."""
        text = self.asked(name)
        return int(text) if text.isdecimal() and len(text) <= _DIGITS else otherwise


@dataclass(slots=True)
class Owned:
    """A property with all of its values from one origin."""

    name: str
    origin: str
    values: list[str] = field(default_factory=list)


def general(visit: Visit) -> dict[str, object]:
    """Return what the file is, where it came from and how often it was taken."""
    rows = FileDownloads.objects.filter(distribution=visit.row)
    return {
        "downloads": rows.aggregate(count=Sum("count"), last_at=Max("last_at")),
        "line": upstream_line(visit.row),
        "tags": tags_in_words(visit.row.filename),
        "vouching": vouching_for([visit.row], visit.principal),
    }


def info(visit: Visit) -> dict[str, object]:
    """Return all core metadata fields, and what the client claimed otherwise."""
    raw = _raw_metadata(visit.row)
    reading = _reading(visit.row)
    return {
        "fields": readable_fields(raw),
        "has_metadata": raw is not None,
        "claims": _claims(visit.row, raw, reading),
        "notes": [each for each in reading.differences if not sides_of(each)] if reading else [],
    }


def properties(visit: Visit) -> dict[str, object]:
    """Return the properties of every origin, and the form that changes people's own."""
    rows = Property.objects.filter(distribution=visit.row).order_by("name", "origin", "pk")
    owned: dict[tuple[str, str], Owned] = {}
    for row in rows:
        key = (row.name, row.origin)
        owned.setdefault(key, Owned(row.name, row.origin)).values.append(row.value)
    people = [each for each in owned.values() if each.origin == Property.Origin.PERSON]
    edited = next((each for each in people if each.name == visit.asked("edit")), None)
    return {
        "people": people,
        "others": [each for each in owned.values() if each not in people],
        "may_write": visit.may_write,
        "typed": {"name": edited.name, "values": "\n".join(edited.values)} if edited else {},
        "edited": edited,
    }


def contents(visit: Visit) -> dict[str, object]:
    """Return the tree of the archive, or the text of one of its members."""
    reading = _reading(visit.row)
    if reading is None:
        return {"unread": True}
    members = members_in(reading)
    path = visit.asked("member")
    if path:
        member = next((each for each in members if each.path == path), None)
        if member is None:
            return {"missing": path, "shelf": shelf(members)}
        text = member_text(visit.held, member)
        folder, divider, _ = path.rpartition("/")
        return {
            "text": text,
            "window": window(text.lines, visit.number("line")),
            "most": BYTES_AT_MOST,
            "shelf": shelf(members, folder + divider),
        }
    found = shelf(members, visit.asked("in"), visit.asked("after"))
    return {
        "shelf": found or shelf(members),
        "missing": "" if found else visit.asked("in"),
        "counts": reading.facts["contents"],
    }


def raw(visit: Visit) -> dict[str, object]:
    """Return the metadata file as it stands in the archive, in lines."""
    stored = _raw_metadata(visit.row)
    text = text_of(stored) if stored is not None else None
    lines = lines_of(text) if text is not None else []
    return {
        "has_metadata": stored is not None,
        "is_text": text is not None,
        "window": window(lines, visit.number("line")),
    }


def security(visit: Visit) -> dict[str, object]:
    """Return digests, who vouches for it, and what was found in it that one should know of."""
    reading = _reading(visit.row)
    vouching = vouching_for([visit.row], visit.principal)
    return {
        "facts": reading.facts if reading is not None else None,
        "line": upstream_line(visit.row),
        "read": reading,
        "vouching": vouching,
        "checked": checked_where(visit.row, visit.principal),
        "claimed": claimed_by(_metadata(visit.row), vouching),
    }


def activity(visit: Visit) -> dict[str, object]:
    """Return what happened to the file, and how often it was taken on each day."""
    days = downloads_of([visit.row.pk], days=_DAYS)
    before = visit.number("before", otherwise=0) or None
    events = history_of(visit.row, before=before)
    total = sum(each.count for each in days)
    return {
        "events": events,
        "older": events[-1].pk if len(events) == EVENTS_AT_MOST else None,
        "is_named": visit.principal.hears_names,
        "picture": columns("Downloads", f"{total} in the last {_DAYS} days", days),
        "total": total,
    }


def manage(visit: Visit) -> dict[str, object]:
    """Return the forms of what the visitor may do to the file."""
    return {"forms": visit.forms}


# In the order of the tabs: what the URL calls each, what people do, and what it shows.
TABS: dict[str, tuple[str, Callable[[Visit], dict[str, object]]]] = {
    "general": ("General", general),
    "info": ("PyPI Info", info),
    "properties": ("Properties", properties),
    "contents": ("Contents", contents),
    "raw": ("Raw metadata", raw),
    "security": ("Security", security),
    "activity": ("Activity", activity),
    "manage": ("Manage", manage),
}


def tabs_of(visit: Visit) -> list[str]:
    """Return the tabs that there are for this visitor."""
    return [tab for tab in TABS if tab != "manage" or visit.forms]


def _reading(row: Distribution) -> Reading | None:
    """Return what was read in the bytes that the file has now."""
    return Reading.objects.filter(distribution=row, sha256=row.sha256).first()


def _raw_metadata(row: Distribution) -> bytes | None:
    stored = StoredMetadata.objects.filter(distribution=row).first()
    return bytes(stored.raw) if stored is not None else None


def _metadata(row: Distribution) -> CoreMetadata | None:
    raw = _raw_metadata(row)
    return readable_metadata(raw) if raw is not None else None


def _claims(
    row: Distribution, raw: bytes | None, reading: Reading | None
) -> list[tuple[str, str, str]]:
    """Return property, claim and what the archive says, where they are not the same.

    Extraction notes them and drops the claims; before it they are compared here.
    """
    if reading is not None:
        return [sides for each in reading.differences if (sides := sides_of(each))]
    if raw is None or row.release is None or (metadata := readable_metadata(raw)) is None:
        return []
    found = properties_of(metadata, row.release.project.normalized)
    told = differences(said_by(row, Property.Origin.CLIENT), found)
    return [sides for each in told if (sides := sides_of(each))]
