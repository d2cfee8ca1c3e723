"""Promotes a file from one repository to another of its tenant, without it being sent again.

It is published there as if a client had sent it: every rule of the target holds, and what it came
with is judged anew. Its bytes are in the tenant's storage already and are shared.
"""

from __future__ import annotations

from functools import partial

from accounts.authentication import again
from accounts.principal import Principal
from accounts.roles import Role
from base import audit
from base.errors import InvalidInput
from packages import storage
from packages.by_hand import ByHand, publish_by_hand
from packages.curate import delete
from packages.filenames import NormalizedName
from packages.index.base import FileNotFound, Stored
from packages.index.local import page_file
from packages.index.opening import open_index
from packages.models import Distribution, Property
from packages.properties import Properties, said_by
from packages.provenance import copy_provenance
from packages.publish import Published
from packages.pypi_properties import PREFIX
from packages.upstream.changes import matched
from packages.upstream.refresh import kept_page
from packages.upstream.source import Source
from repos.access import require
from repos.models import Kind, Repository
from repos.targets import Target

_REASON_AT_MOST = 500  # characters, what the column holds; upstream's may be longer


class PromotionRefused(InvalidInput):
    """A file cannot go from where it is to where it is wanted."""


def promote(
    distribution: Distribution, *, to: Target, by: Principal, is_move: bool = False
) -> Published:
    """Publish a file that is held in one repository in another, with the properties people gave it.

    If it is yanked, it arrives yanked. With `is_move` it is deleted where it was, once it is there;
    broken off in between, it is done again. Raises PromotionRefused, what the index raises for a
    file that is not given out, and as `publish` and `delete` do.
    """
    source = distribution.repository
    require(by, source.tenant.slug, source.key, Role.ADMIN if is_move else Role.READER)
    _judge_way(source, to, is_move=is_move)
    stored = _given_out(distribution, by)
    release = distribution.release
    assert release is not None  # noqa: S101 - what is given out has a name
    done = publish_by_hand(
        ByHand(
            filename=distribution.filename,
            chunks=storage.chunks(stored.storage_key, stored.size),
            name=release.project.name,
            version=release.version,
            sha256=stored.sha256,
            properties=_own_properties(distribution),
            declared_size=stored.size,
        ),
        target=to,
        by=by,
        also=partial(_write_promotion, distribution, by=by),
    )
    if is_move:
        delete(distribution, by=again(by), moved_to=to.repository)
    return done


def _judge_way(source: Repository, to: Target, *, is_move: bool) -> None:
    if to.repository.tenant_id != source.tenant_id:
        raise PromotionRefused(
            f"{source} and {to.repository} are of different tenants, which share no files. "
            "Download it and publish it there."
        )
    if to.repository == source:
        raise PromotionRefused(f"The file is in {source} already.")
    if is_move and source.kind == Kind.REMOTE:
        raise PromotionRefused(f"{source} shows what upstream has. Copy the file, do not move it.")


def _given_out(distribution: Distribution, by: Principal) -> Stored:
    """Return where the bytes are, if the repository gives the file out to who wants to promote."""
    release = distribution.release
    if release is None:
        raise PromotionRefused(f"{distribution.filename} has no name yet, and is not listed.")
    project = release.project
    index = open_index(distribution.repository, by, project.scope)
    name = NormalizedName(project.normalized)
    found = index.open(name, distribution.filename, distribution.sha256)
    if not isinstance(found, Stored) or found.row.pk != distribution.pk:
        raise FileNotFound(f"{distribution.filename} is not in {distribution.repository}.")
    return found


def _own_properties(distribution: Distribution) -> Properties:
    """Return people's own properties; what names a file is said by its name now."""
    own = said_by(distribution, Property.Origin.PERSON)
    return {name: values for name, values in own.items() if not name.startswith(PREFIX)}


def _write_promotion(source: Distribution, copy: Distribution, *, by: Principal) -> None:
    """Yank the copy as the file is at this moment, and record where it comes from.

    What vouches for the file's bytes vouches for the copy's.
    """
    copy_provenance(source, copy)
    reason = _yanked_reason(source)
    if reason is not None:
        copy.yanked, copy.yanked_reason = True, reason[:_REASON_AT_MOST]
        copy.save(update_fields=["yanked", "yanked_reason"])
    audit.record(
        by=by.actor,
        action="contents.promote",
        tenant=source.repository.tenant.slug,
        repository=str(source.repository),
        subject=f"{source.repository}/{source.filename}",
        after={"to": str(copy.repository), "sha256": copy.sha256},
    )


def _yanked_reason(source: Distribution) -> str | None:
    """Return why a file, or its whole release, is yanked; None: it is not."""
    if source.repository.kind == Kind.REMOTE:
        return _upstreams_reason(source)
    rows = Distribution.objects.select_related("release")
    return page_file(rows.get(pk=source.pk)).yanked_reason


def _upstreams_reason(source: Distribution) -> str | None:
    """Return why upstream has yanked a file, by its page as it is kept: nobody is asked."""
    remote, release = source.repository, source.release
    assert release is not None  # noqa: S101 - as above
    name = NormalizedName(release.project.normalized)
    upstream = Source(remote, remote.upstream, release.project.scope)
    document = kept_page(upstream, name).document
    lines = matched(upstream, name, document.lines if document else (), [source]).lines
    if source.pk in lines:
        return lines[source.pk].yanked_reason
    return "" if source.upstream_change == Distribution.UpstreamChange.YANKED else None
