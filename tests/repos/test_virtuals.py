"""The members of virtuals, and the names that what goes leaves behind."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from packages import curate
from packages.filenames import parse_name
from repos import configure
from repos.models import AlsoUpstream, Claim, Member, Repository
from repos.stamps import stamp
from tests.cast import Cast, grant
from tests.dists import make_wheel
from tests.uploads import published
from tests.virtuals import make_remote, make_virtual


def publish(cast: Cast, *names: str) -> None:
    """Let ada publish one wheel of each name to acme's local."""
    for name in names:
        published(Client(), name, "1.0", make_wheel(name, "1.0"), by=cast.acme.admin)


def claims(virtual: Repository) -> list[str]:
    return list(Claim.objects.filter(repository=virtual).values_list("pattern", flat=True))


def test_a_local_that_goes_leaves_its_names_to_the_virtuals_above(cast: Cast) -> None:
    inner = make_virtual(cast.acme, "inner", [cast.acme.repository])
    outer = make_virtual(cast.acme, "outer", [inner])
    still = make_virtual(cast.acme, "still", [inner, cast.acme.repository])
    publish(cast, "frog", "toad", "newt")
    ada = cast.acme.admin.principal
    curate.let_go(cast.acme.repository, parse_name("newt"), by=ada)
    configure.add_claim(Claim(repository=cast.acme.repository, pattern="acme-*"), by=SYSTEM)
    configure.add_claim(Claim(repository=inner, pattern="toad"), by=SYSTEM)
    before = stamp(outer.pk)
    configure.set_members(inner, [], by=ada.actor)
    assert claims(inner) == claims(outer) == ["acme-*", "frog", "toad"]
    assert claims(still) == []  # which shows it all the same
    assert stamp(outer.pk).epoch == before.epoch + 1
    events = AuditEvent.objects.filter(action="claims.inherit", actor="ada")
    assert {(event.subject, event.after["patterns"]) for event in events} == {
        ("acme/inner", 2),
        ("acme/outer", 3),
    }
    # What a virtual has inherited goes on in the same way.
    upper = make_virtual(cast.acme, "upper", [inner])
    configure.set_members(upper, [], by=SYSTEM)
    assert claims(upper) == ["acme-*", "frog", "toad"]


def test_a_remote_leaves_nothing_behind(cast: Cast) -> None:
    remote = make_remote(cast.acme, "remote")
    configure.add_claim(Claim(repository=remote, pattern="frog"), by=SYSTEM)
    virtual = make_virtual(cast.acme, "virtual", [remote])
    configure.set_members(virtual, [], by=SYSTEM)
    assert claims(virtual) == []


def test_a_member_of_another_tenant_is_open_to_all_signed_in(cast: Cast) -> None:
    virtual = make_virtual(cast.acme, "virtual")
    theirs = cast.globex.repository
    with pytest.raises(ValidationError, match="belongs to another tenant"):
        configure.set_members(virtual, [theirs], by=SYSTEM)
    grant(theirs, Role.READER)
    configure.set_members(virtual, [theirs], by=SYSTEM)
    assert [member.repository for member in virtual.members.all()] == [theirs]


def test_a_scope_is_one_that_the_members_upstream_may_be_asked_with(cast: Cast) -> None:
    remote = make_remote(cast.acme, "remote", scopes=["root/pypi"])
    virtual = make_virtual(cast.acme, "virtual")
    for member in (
        Member(repository=remote, scope="root/other"),
        Member(repository=remote, scope="../up"),
        Member(repository=cast.acme.repository, scope="root/pypi"),
    ):
        with pytest.raises(ValidationError):
            configure.set_members(virtual, [member], by=SYSTEM)
    configure.set_members(
        virtual, [Member(repository=remote, scope="root/pypi"), remote], by=SYSTEM
    )
    event = AuditEvent.objects.filter(action="members.change").first()
    assert event is not None
    assert event.after == {"members": ["acme/remote/root/pypi", "acme/remote"]}
    with pytest.raises(ValidationError, match="has this member already"):
        configure.set_members(virtual, [remote, remote], by=SYSTEM)


def test_marks_move_the_epoch_and_are_audited(cast: Cast) -> None:
    virtual = make_virtual(cast.acme, "virtual", [cast.acme.repository])
    before = stamp(virtual.pk).epoch
    mark = AlsoUpstream(virtual=virtual, normalized="frog")
    configure.mark_also_upstream(mark, by=SYSTEM)
    with pytest.raises(ValidationError, match="has this mark already"):
        configure.mark_also_upstream(AlsoUpstream(virtual=virtual, normalized="frog"), by=SYSTEM)
    wrong = AlsoUpstream(virtual=cast.acme.repository, normalized="frog")
    with pytest.raises(ValidationError, match="Only a virtual"):
        configure.mark_also_upstream(wrong, by=SYSTEM)
    configure.unmark_also_upstream(mark, by=SYSTEM)
    assert stamp(virtual.pk).epoch == before + 2
    events = AuditEvent.objects.filter(action__startswith="also_upstream.").order_by("pk")
    assert [(event.action, event.before, event.after) for event in events] == [
        ("also_upstream.add", {}, {"project": "frog"}),
        ("also_upstream.remove", {"project": "frog"}, {}),
    ]
