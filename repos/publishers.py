"""Whom repositories trust to publish without a secret, and the tokens that these get.

docs/decisions/0014 says how. The keys of issuers, and what CI shows, are checked before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts import publishing
from accounts.assertions import Assertion, AssertionRefused
from accounts.ci_wording import job_in_words
from accounts.identities import Identity, identity_in
from accounts.models import Issuer, PublishingToken
from base import audit, clock
from base.audit import Actor
from base.ci_homes import may_be_same
from base.errors import NotThere
from base.stamps import configuring
from repos.access import RoleMissing
from repos.models import Repository, TrustedPublisher

_NAMED_AT_MOST = 20
# Of one source in one repository: each token that it asks for hangs on all of them.
PUBLISHERS_AT_MOST = 100
_ANEW = (
    "If that is right, who administers the repository presses Trust it anew on the publisher's "
    "page."
)
_ISSUER = ("kind", "url", "is_active", "private_allowed", "ca")


class PublisherMissing(NotThere):
    """The repository trusts no such publisher."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The numbers by which a host knows CI's owner and repository; empty where it tells none."""

    owner_id: str
    source_id: str

    def may_be(self, publisher: TrustedPublisher) -> bool:
        """Say whether a publisher is theirs, or nobody's yet."""
        return self._has_owner(publisher) and may_be_same(publisher.source_id, self.source_id)

    def why_not(self, publishers: Sequence[TrustedPublisher]) -> str:
        """Return why none of the publishers is theirs; the words follow the name of the source."""
        if not publishers:
            return "is no longer trusted to publish this project."
        by_owner = [each for each in publishers if self._has_owner(each)]
        if by_owner:
            kept = f"its number is {self.source_id}, and was {by_owner[0].source_id}"
            return f"is another than the one of this name that was trusted: {kept}."
        kept = f"the number of its owner is {self.owner_id}, and was {publishers[0].owner_id}"
        return f"has another owner than the one that was trusted: {kept}."

    def _has_owner(self, publisher: TrustedPublisher) -> bool:
        return may_be_same(publisher.owner_id, self.owner_id)


@dataclass(frozen=True, slots=True, repr=False)
class Minted:
    """A new token of CI's with its secret."""

    token: PublishingToken
    secret: str


def save_issuer(issuer: Issuer, *, by: Actor) -> None:
    """Save a new or changed issuer. Its kind stays: the claims of publishers are read by it."""
    with configuring():
        before = Issuer.objects.filter(pk=issuer.pk).first()
        if before is not None and before.kind != issuer.kind and issuer.publishers.exists():
            told = "Publishers are read by the kind of their issuer; it stays."
            raise ValidationError({"kind": told})
        issuer.full_clean()
        issuer.save()
        if not issuer.is_active:  # its tokens are over, also when it is switched on again
            publishing.burn_all(issuer)
        audit.record(
            by=by,
            action="issuer.change" if before else "issuer.create",
            subject=str(issuer),
            before=_told(before) if before else None,
            after=_told(issuer),
        )


def delete_issuer(issuer: Issuer, *, by: Actor) -> None:
    """Remove an issuer that no publisher needs any more, with the tokens it vouched for."""
    with configuring():
        if issuer.publishers.exists():
            raise ValidationError(f"Repositories trust publishers of {issuer}. Remove them first.")
        audit.record(by=by, action="issuer.delete", subject=str(issuer), before=_told(issuer))
        issuer.delete()


def add_publisher(publisher: TrustedPublisher, *, by: Actor) -> None:
    """Let a publisher publish a project, be it there or not."""
    with configuring():
        publisher.created_at = clock.now()
        publisher.full_clean()
        _require_room_for(publisher)
        _take_numbers(publisher)
        publisher.save()
        _record(publisher, "publisher.add", by, after=_facts_of(publisher))


def remove_publisher(publisher: TrustedPublisher, *, by: Actor) -> None:
    """Trust a publisher no longer, nor the tokens that it has."""
    with configuring():
        _require_there(publisher)
        _record(publisher, "publisher.remove", by, before=_facts_of(publisher))
        publisher.delete()


def trust_anew(
    publisher: TrustedPublisher, *, owner_id: str = "", source_id: str = "", by: Actor
) -> None:
    """Trust who has these numbers by its name from now on, and no longer who had it.

    A number that is empty is that of whoever publishes first. So with all publishers of its source
    in the repository, as they are kept together. The tokens that they led to publish nothing by
    them any more, and neither does what was signed before attest anything.
    """
    with configuring():
        _require_there(publisher)
        for each in _locked_of_one_source(publisher):
            before = _facts_of(each)
            each.owner_id, each.source_id = owner_id, source_id
            each.trusted_anew_at, each.last_used_at = clock.now(), None
            each.clean()
            each.save(update_fields=["owner_id", "source_id", "trusted_anew_at", "last_used_at"])
            each.tokens.clear()
            _record(each, "publisher.anew", by, before=before, after=_facts_of(each))


def mint(*, issuer: Issuer, assertion: Assertion, address: str) -> Minted:
    """Return a token that publishes for every publisher that the assertion fits.

    Raises AssertionRefused where there is none, or the assertion was used before.
    """
    identity = identity_in(issuer.kind, assertion.claims)
    with transaction.atomic():
        fitting = _locked(_fitting(issuer, identity))
        whose = Whose(identity.owner_id, identity.source_id)
        found = [each for each in fitting if whose.may_be(each)]
        if not found:
            told = f"{identity.source} {whose.why_not(fitting)} {_ANEW}"
            raise AssertionRefused(told, code="invalid-publisher")
        if not publishing.use_up(issuer=issuer, digest=assertion.digest, until=assertion.until):
            raise AssertionRefused(
                "This token was exchanged before. Ask the issuer for another one.",
                code="invalid-reuse-token",
            )
        said = identity.facts | asdict(whose)
        token, secret = publishing.create(issuer=issuer, name=identity.name, said=said)
        token.publishers.set(found)
        names = sorted(f"{each.repository}/{each.normalized}" for each in found)[:_NAMED_AT_MOST]
        after = {"expires_at": token.expires_at, "publishes": names}
        _record_token(token, "publisher.token", address, after=after)
    return Minted(token, secret)


def _locked(found: Iterable[TrustedPublisher]) -> list[TrustedPublisher]:
    """Return those of them that are there still, and stay until a token hangs on them."""
    rows = TrustedPublisher.objects.filter(pk__in=[each.pk for each in found]).order_by("pk")
    rows = rows.select_related("repository__tenant")
    return list(rows.select_for_update(of=("self",), no_key=True))


def keep(found: QuerySet[TrustedPublisher], whose: Whose) -> list[TrustedPublisher]:
    """Return those that are still whose they were; they fit nobody else from now on.

    Neither do the others of the same source in the repository, whatever they publish: one name is
    one owner's. For the transaction that publishes: who publishes first, under the lock, is who is
    trusted.
    """
    one = found.order_by("pk").first()
    if one is None:
        return []
    locked = _locked_of_one_source(one)
    present = set(found.values_list("pk", flat=True))
    theirs = [each for each in locked if each.pk in present and whose.may_be(each)]
    for each in locked if theirs else []:
        known = (each.owner_id or whose.owner_id, each.source_id or whose.source_id)
        if known != (each.owner_id, each.source_id) and whose.may_be(each):
            each.owner_id, each.source_id = known
            each.save(update_fields=["owner_id", "source_id"])
    return theirs


def _of_one_source(publisher: TrustedPublisher) -> QuerySet[TrustedPublisher]:
    """Return the publishers of the same source in the same repository, itself among them."""
    return TrustedPublisher.objects.filter(
        repository=publisher.repository_id, issuer=publisher.issuer_id, source=publisher.source
    ).order_by("pk")


def _locked_of_one_source(publisher: TrustedPublisher) -> list[TrustedPublisher]:
    """Return all of them, in one order: two first publishes of two projects wait for each other."""
    rows = _of_one_source(publisher).select_related("issuer", "repository__tenant")
    return list(rows.select_for_update(of=("self",), no_key=True))


def _take_numbers(publisher: TrustedPublisher) -> None:
    """Let a new publisher be whose the others of its source are, if it is not said otherwise."""
    kept = _of_one_source(publisher).exclude(owner_id="", source_id="").first()
    if kept is not None:
        publisher.owner_id = publisher.owner_id or kept.owner_id
        publisher.source_id = publisher.source_id or kept.source_id


def keep_by_token(token_id: int, *, repository: Repository, normalized: str) -> None:
    """Keep whose the publishers are that let a token publish this. Raises RoleMissing."""
    whose, found = _of_token(token_id, repository, normalized)
    if not keep(found, whose):
        source = PublishingToken.objects.get(pk=token_id).said["source"]
        raise RoleMissing(f"{source} {whose.why_not(list(found))} {_ANEW}")


def note_use(token_id: int, *, repository: Repository, normalized: str) -> None:
    """Remember that a publisher was used now: its token has published."""
    whose, found = _of_token(token_id, repository, normalized)
    used = [each.pk for each in found if whose.may_be(each)]
    TrustedPublisher.objects.filter(pk__in=used).update(last_used_at=clock.now())


def _of_token(
    token_id: int, repository: Repository, normalized: str
) -> tuple[Whose, QuerySet[TrustedPublisher]]:
    """Return whose a token of CI's is, and the publishers that let it publish a project."""
    token = PublishingToken.objects.filter(pk=token_id).first()
    said = token.said if token is not None else {}  # it may have gone since it published
    rows = TrustedPublisher.objects.filter(repository=repository, normalized=normalized)
    whose = Whose(said.get("owner_id", ""), said.get("source_id", ""))
    return whose, rows.filter(tokens=token_id)


def burn(secret: str, *, address: str) -> None:
    """End the token that `secret` is; a wrong one, and one that has ended, are ended already."""
    token = publishing.find(secret)
    if token is None:
        return
    with transaction.atomic():
        if publishing.burn(token):
            before, after = {"burnt_at": None}, {"burnt_at": clock.now()}
            _record_token(token, "publisher.burn", address, before=before, after=after)


def _require_there(publisher: TrustedPublisher) -> None:
    if not TrustedPublisher.objects.filter(pk=publisher.pk).exists():
        raise PublisherMissing("Somebody has removed this publisher meanwhile.")


def _require_room_for(publisher: TrustedPublisher) -> None:
    if _of_one_source(publisher).count() >= PUBLISHERS_AT_MOST:
        raise ValidationError(
            f"{publisher.repository} trusts {publisher.source} {PUBLISHERS_AT_MOST} times, which "
            "is the most. Remove publishers that are not used any more."
        )


def _fitting(issuer: Issuer, identity: Identity) -> list[TrustedPublisher]:
    """Return the publishers that are what the claims say, whoever the owner. Raises if none."""
    rows = TrustedPublisher.objects.select_related("repository__tenant").filter(
        issuer=issuer,
        source=identity.source,
        workflow=identity.workflow,
        repository__deleted_at__isnull=True,
    )
    found = [each for each in rows if _fits(each, identity)]
    if not found:
        raise AssertionRefused(
            f"No project here trusts {job_in_words(identity)}. "
            "Compare it, and its further claims, with the tab Publishers.",
            code="invalid-publisher",
        )
    return found


def _fits(publisher: TrustedPublisher, identity: Identity) -> bool:
    is_strangers = identity.by_strangers and "event_name" not in publisher.claims
    return (
        not is_strangers
        and publisher.environment in {"", identity.environment}
        and (not publisher.ref or fnmatchcase(identity.ref, publisher.ref))
        and all(identity.claims.get(name) == value for name, value in publisher.claims.items())
    )


def _told(issuer: Issuer) -> dict[str, object]:
    return {name: getattr(issuer, name) for name in _ISSUER}


def _facts_of(publisher: TrustedPublisher) -> dict[str, object]:
    names = ("source", "workflow", "environment", "ref", "claims", "owner_id", "source_id")
    facts: dict[str, object] = {name: getattr(publisher, name) for name in names}
    return {"project": publisher.normalized, "issuer": str(publisher.issuer)} | facts


def _record(
    publisher: TrustedPublisher,
    action: str,
    by: Actor,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    repository = publisher.repository
    audit.record(
        by=by,
        action=action,
        tenant=repository.tenant.slug,
        repository=str(repository),
        subject=f"{repository}/{publisher.normalized}",
        before=before,
        after=after,
    )


def _record_token(
    token: PublishingToken,
    action: str,
    address: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object],
) -> None:
    """Write it down for who runs the installation, and for no tenant.

    Whoever names somebody else's CI among their publishers is told nothing of what it does: a
    tenant hears of it by what it publishes there.
    """
    by = Actor(name=token.name, token=str(token), address=address)
    subject = str(token.issuer)
    audit.record(by=by, action=action, subject=subject, before=before, after=after)
