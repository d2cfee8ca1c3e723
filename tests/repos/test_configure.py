"""Repositories, upstreams, members and grants: what the use cases do and refuse."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError

from accounts import members, tokens
from accounts.models import Membership, Tenant, Token
from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from base.stamps import access_stamp
from repos import configure
from repos.models import Claim, Grant, Kind, Repository, Upstream
from repos.sealed import SealBroken, unseal
from repos.stamps import stamp
from tests.cast import Cast, make_repository


def test_a_new_repository_is_read_by_all_members_unless_told_otherwise(cast: Cast) -> None:
    made = configure.create_repository(
        Repository(tenant=cast.acme.tenant, key="open", kind=Kind.LOCAL), by=SYSTEM
    )
    assert [(grant.subject, grant.role) for grant in made.grants.all()] == [
        (Grant.Subject.MEMBERS, Role.READER)
    ]
    closed = make_repository(cast.acme.tenant, "closed")
    assert not closed.grants.exists()


@pytest.mark.parametrize("key", ["", "Upper", "-dash", "a/b", "a b", "api", "pypi", "x" * 101])
def test_a_key_that_makes_no_url_is_refused(cast: Cast, key: str) -> None:
    with pytest.raises(ValidationError):
        make_repository(cast.acme.tenant, key)


def test_a_key_is_taken_once_per_tenant_even_by_a_deleted_repository(cast: Cast) -> None:
    make_repository(cast.globex.tenant, "tools")
    gone = make_repository(cast.acme.tenant, "tools")
    configure.delete_repository(gone, by=SYSTEM)
    with pytest.raises(ValidationError, match="taken"):
        make_repository(cast.acme.tenant, "tools")


def test_tenant_key_and_kind_stay(cast: Cast) -> None:
    for name, value in (("key", "new"), ("kind", Kind.REMOTE), ("tenant", cast.globex.tenant)):
        row = Repository.objects.get(pk=cast.acme.repository.pk)
        setattr(row, name, value)
        with pytest.raises(ValidationError, match="cannot be changed"):
            configure.change_repository(row, by=SYSTEM)


def test_changed_settings_move_the_epoch_and_are_audited(cast: Cast) -> None:
    row = cast.acme.repository
    before = stamp(row.pk)
    row.description = "Tools"
    configure.change_repository(row, by=cast.acme.admin.principal.actor)
    assert stamp(row.pk).epoch == before.epoch + 1
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.actor, event.action, event.subject) == ("ada", "repository.change", "acme/local")
    assert (event.before["description"], event.after["description"]) == ("", "Tools")


def test_a_grant_moves_the_access_stamp_and_its_end_too(cast: Cast) -> None:
    before = access_stamp()
    grant = Grant(repository=cast.acme.repository, subject=Grant.Subject.ANYONE, role=Role.READER)
    configure.save_grant(grant, by=SYSTEM)
    given = access_stamp()
    configure.end_grant(grant, by=SYSTEM)
    assert before != given != access_stamp()
    assert not Grant.objects.filter(subject=Grant.Subject.ANYONE).exists()


@pytest.mark.parametrize("subject", [Grant.Subject.ANYONE, Grant.Subject.SIGNED_IN])
@pytest.mark.parametrize("role", [Role.WRITER, Role.ADMIN])
def test_the_widest_circles_only_read(cast: Cast, subject: str, role: Role) -> None:
    with pytest.raises(ValidationError):
        configure.save_grant(
            Grant(repository=cast.acme.repository, subject=subject, role=role), by=SYSTEM
        )


def test_a_grant_stays_within_its_tenant(cast: Cast) -> None:
    stranger = Membership.objects.get(user=cast.globex.writer.user)
    grant = Grant(repository=cast.acme.repository, membership=stranger, role=Role.READER)
    with pytest.raises(ValidationError, match="does not belong to acme"):
        configure.save_grant(grant, by=SYSTEM)


def test_a_subject_has_one_grant_per_repository(cast: Cast) -> None:
    place = Membership.objects.get(user=cast.acme.reader.user)
    with pytest.raises(ValidationError, match="change that one"):
        configure.save_grant(
            Grant(repository=cast.acme.repository, membership=place, role=Role.ADMIN), by=SYSTEM
        )


def test_an_upstreams_password_is_sealed(cast: Cast, settings) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    upstream = Upstream(repository=remote, index_url="https://mirror.example.org/simple")
    configure.save_upstream(upstream, by=SYSTEM, password="hunter2")
    row = Upstream.objects.get(repository=remote)
    assert "hunter2" not in str(vars(row))
    assert not AuditEvent.objects.filter(after__icontains="hunter2").exists()
    assert unseal(row.sealed_password) == "hunter2"
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, after a rotation, that is long"
    assert unseal(row.sealed_password) == "hunter2"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SealBroken):
        unseal(row.sealed_password)


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        (Kind.LOCAL, "https://mirror.example.org/simple"),
        (Kind.REMOTE, "https://ann:hunter2@mirror.example.org/simple"),
        (Kind.REMOTE, "ftp://mirror.example.org/simple"),
        (Kind.REMOTE, "not a url"),
        (Kind.REMOTE, "http://[half/simple"),
    ],
)
def test_an_upstream_that_cannot_be_is_refused(cast: Cast, kind: Kind, url: str) -> None:
    row = make_repository(cast.acme.tenant, "somewhere", kind)
    with pytest.raises(ValidationError):
        configure.save_upstream(Upstream(repository=row, index_url=url), by=SYSTEM)


def test_a_mirror_may_have_a_host_name_of_one_label(cast: Cast) -> None:
    row = make_repository(cast.acme.tenant, "mirror", Kind.REMOTE)
    configure.save_upstream(
        Upstream(repository=row, index_url="http://devpi:3141/root/pypi"), by=SYSTEM
    )
    assert Upstream.objects.get().index_url == "http://devpi:3141/root/pypi"


def test_a_deleted_virtual_lets_its_members_go(cast: Cast) -> None:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    configure.delete_repository(virtual, by=SYSTEM)
    configure.delete_repository(cast.acme.repository, by=SYSTEM)


def test_an_edit_of_a_stale_row_undoes_nothing(cast: Cast) -> None:
    token = Token.objects.select_related("membership__tenant").get(pk=cast.acme.writer.token.pk)
    tenant = Tenant.objects.get(pk=cast.acme.tenant.pk)
    tokens.revoke(cast.acme.writer.token, by=SYSTEM)
    Tenant.objects.filter(pk=tenant.pk).update(used_bytes=77)
    token.name, tenant.name = "renamed", "Renamed"
    tokens.change(token, by=SYSTEM)
    members.save_tenant(tenant, by=SYSTEM)
    assert tokens.find(cast.acme.writer.secret) is None
    assert Tenant.objects.get(pk=tenant.pk).used_bytes == 77


def test_a_virtual_shows_its_members_in_order(cast: Cast) -> None:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    other = make_repository(cast.acme.tenant, "other")
    configure.set_members(virtual, [other, cast.acme.repository], by=SYSTEM)
    assert [str(place.repository) for place in virtual.members.all()] == [
        "acme/other",
        "acme/local",
    ]
    with pytest.raises(ValidationError, match="member of acme/virtual"):
        configure.delete_repository(other, by=SYSTEM)


def test_a_virtual_has_no_circles_and_no_strangers(cast: Cast) -> None:
    inner = make_repository(cast.acme.tenant, "inner", Kind.VIRTUAL)
    outer = make_repository(cast.acme.tenant, "outer", Kind.VIRTUAL)
    configure.set_members(outer, [inner], by=SYSTEM)
    for virtual, member in (
        (inner, inner),
        (inner, outer),
        (outer, cast.globex.repository),
        (cast.acme.repository, outer),
    ):
        with pytest.raises(ValidationError):
            configure.set_members(virtual, [member], by=SYSTEM)
    assert not inner.members.exists()


def test_virtuals_are_nested_five_deep_and_no_deeper(cast: Cast) -> None:
    tower = [make_repository(cast.acme.tenant, f"v{n}", Kind.VIRTUAL) for n in range(6)]
    configure.set_members(tower[0], [cast.acme.repository], by=SYSTEM)
    for lower, upper in pairwise(tower[:5]):
        configure.set_members(upper, [lower], by=SYSTEM)
    with pytest.raises(ValidationError, match="More than 5"):
        configure.set_members(tower[5], [tower[4]], by=SYSTEM)
    # From below as well: the top of the tower stands above what is put beneath its foot.
    with pytest.raises(ValidationError, match="More than 5"):
        configure.set_members(tower[0], [tower[5]], by=SYSTEM)
    configure.set_members(tower[5], [tower[3]], by=SYSTEM)


def test_what_is_out_of_service_is_no_member_and_has_none(cast: Cast) -> None:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    gone = make_repository(cast.acme.tenant, "gone")
    configure.delete_repository(gone, by=SYSTEM)
    with pytest.raises(ValidationError, match="acme/gone is out of service"):
        configure.set_members(virtual, [gone], by=SYSTEM)
    configure.delete_repository(virtual, by=SYSTEM)
    with pytest.raises(ValidationError, match="acme/virtual is out of service"):
        configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    with pytest.raises(ValidationError, match="out of service already"):
        configure.delete_repository(virtual, by=SYSTEM)


def test_claims_move_the_epoch_and_are_audited(cast: Cast) -> None:
    before = stamp(cast.acme.repository.pk).epoch
    claim = Claim(repository=cast.acme.repository, pattern="acme-*")
    configure.add_claim(claim, by=SYSTEM)
    with pytest.raises(ValidationError, match="claims this already"):
        configure.add_claim(Claim(repository=cast.acme.repository, pattern="acme-*"), by=SYSTEM)
    configure.remove_claim(claim, by=SYSTEM)
    assert stamp(cast.acme.repository.pk).epoch == before + 2
    events = AuditEvent.objects.filter(action__startswith="claim.").order_by("pk")
    assert [(event.action, event.before, event.after) for event in events] == [
        ("claim.add", {}, {"pattern": "acme-*"}),
        ("claim.remove", {"pattern": "acme-*"}, {}),
    ]


@pytest.mark.parametrize(
    ("url", "stays"),
    [
        ("https://MIRROR.example.org/other", True),
        ("https://mirror.example.org:443/simple", True),
        ("https://mirror.example.org:8443/simple", False),
        ("http://mirror.example.org/simple", False),
        ("https://mirror.example.org.evil.example/simple", False),
    ],
)
def test_a_stored_password_stays_with_its_host(cast: Cast, url: str, stays: bool) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    upstream = Upstream(repository=remote, index_url="https://mirror.example.org/simple")
    configure.save_upstream(upstream, by=SYSTEM, password="hunter2")
    upstream.index_url = url
    if stays:
        configure.save_upstream(upstream, by=SYSTEM)
        assert unseal(Upstream.objects.get().sealed_password) == "hunter2"
        return
    with pytest.raises(ValidationError, match="another host"):
        configure.save_upstream(upstream, by=SYSTEM)
    configure.save_upstream(upstream, by=SYSTEM, password="")
    assert Upstream.objects.get().sealed_password == ""


def test_a_limited_token_is_made_in_one_step(cast: Cast) -> None:
    place = cast.acme.writer.token.membership
    with pytest.raises(ValidationError, match="not in the token's tenant"):
        configure.create_token(
            membership=place, name="x", by=SYSTEM, repositories=[cast.globex.repository]
        )
    token, _ = configure.create_token(
        membership=place, name="x", by=SYSTEM, repositories=[cast.acme.repository]
    )
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.after["repositories"]) == ("token.create", ["acme/local"])
    configure.limit_token(token, None, by=SYSTEM)
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.before["repositories"], event.after["repositories"]) == (["acme/local"], "all")
    assert not token.repositories.exists()
