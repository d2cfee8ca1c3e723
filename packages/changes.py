"""How contents are changed: what is locked, in which order, and what is marked at the end.

Every transaction takes its locks in this order, so that no two wait for each other: upstream's
page, the blob, the project, its distributions, the tenant (for the quota), and last the
repository's state. Several of a kind are locked in the order of their ids. A purge's own row comes
after that: nothing else waits for it.
"""

from __future__ import annotations

from base.quick_rows import update
from packages.documents import note_project
from packages.models import Project, UpstreamPage
from repos.models import Repository
from repos.quiet import arm
from repos.stamps import locked_state, move_serial

_NAMED_AT_MOST = 1_000


def locked_project(project_id: int) -> Project:
    """Return the project, locked until the transaction ends."""
    return Project.objects.select_for_update(of=("self",)).get(pk=project_id)


def contents_changed(project: Project, *, repository_waits_for: int | None = None) -> None:
    """End a transaction that altered the page of `project`: its document, a new serial for both.

    Serials are handed out under the lock of the repository's state row, so their order is the
    order of commits. A new file also arms extraction: it begins once nobody has uploaded for
    `repository_waits_for` seconds, or for ten times that in all.
    """
    note_project(project)
    state = locked_state(project.repository_id)
    if repository_waits_for is not None:
        arm(state, repository_waits_for)
    project.changed = move_serial(state)
    update(project, "changed")


def file_waits(repository: Repository) -> None:
    """End a transaction that left a file to be extracted and altered no page."""
    state = locked_state(repository.pk)
    arm(state, repository.quiet_period)
    state.save()


def names_changed_since(repository_id: int, serial: int) -> dict[str, int] | None:
    """Return the names whose pages have changed after `serial`, and when; None: too many to name.

    When is the serial of the latest change of each. Of a remote, a name may be known by its page
    alone: no file of it was ever fetched.
    """
    names: dict[str, int] = {}
    for model in (Project, UpstreamPage):
        rows = model._default_manager.filter(repository_id=repository_id, changed__gt=serial)  # noqa: SLF001 - Django's public way
        changes = rows.values_list("normalized", "changed")[: _NAMED_AT_MOST + 1]
        if len(changes) > _NAMED_AT_MOST:
            return None
        for name, changed in changes:
            names[name] = max(changed, names.get(name, 0))
    return names
