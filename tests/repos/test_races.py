"""Administrators who change the same things at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.test import Client
from django.urls import reverse

from accounts import members
from accounts.models import Membership
from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from repos import configure
from repos.models import Grant, Kind, Member, Repository
from tests.cast import Cast, assemble, make_repository
from tests.forms import errors_of, fields_of

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Everybody, where other connections see them."""
    return assemble()


def at_once(*steps: Callable[[], object]) -> list[str]:
    """Do all at once from threads of their own and return what each heard; empty: it was done."""
    start = threading.Barrier(len(steps))

    def one(step: Callable[[], object]) -> str:
        try:
            start.wait()
            step()
        except ValidationError as refusal:
            return " ".join(refusal.messages)
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(one, steps))


def test_two_virtuals_do_not_come_to_show_each_other(cast: Cast) -> None:
    def show(virtual: Repository, member: Repository) -> Callable[[], None]:
        return lambda: configure.set_members(virtual, [member], by=SYSTEM)

    for number in range(ROUNDS):
        one, other = (
            make_repository(cast.acme.tenant, f"{name}-{number}", Kind.VIRTUAL)
            for name in ("one", "other")
        )
        heard = at_once(show(one, other), show(other, one))
        assert sorted(map(bool, heard)) == [False, True]
        assert "inside itself" in max(heard)
        assert Member.objects.filter(virtual__in=[one, other]).count() == 1


def test_one_subject_gets_one_grant(cast: Cast) -> None:
    place = cast.acme.member.token.membership

    def give(role: Role) -> Callable[[], None]:
        grant = Grant(repository=cast.acme.repository, membership=place, role=role)
        return lambda: configure.save_grant(grant, by=SYSTEM)

    heard = at_once(give(Role.READER), give(Role.WRITER), give(Role.ADMIN))
    assert heard.count("") == 1
    assert all("change that one" in text for text in heard if text)
    assert Grant.objects.filter(membership=place).count() == 1
    assert AuditEvent.objects.filter(action="grant.create", after__name="mona").count() == 1


def test_what_ends_twice_ends_once(cast: Cast) -> None:
    place = cast.acme.member.token.membership
    again = Membership.objects.get(pk=place.pk)
    heard = at_once(
        lambda: members.end_membership(place, by=SYSTEM),
        lambda: members.end_membership(again, by=SYSTEM),
    )
    assert sorted(heard) == ["", "Somebody has deleted this meanwhile."]
    assert AuditEvent.objects.filter(action="membership.end").count() == 1


def test_a_change_does_not_bring_back_what_was_deleted(cast: Cast) -> None:
    place = Membership.objects.get(pk=cast.acme.member.token.membership.pk)
    members.end_membership(cast.acme.member.token.membership, by=SYSTEM)
    place.kind = Membership.Kind.ADMIN
    with pytest.raises(ValidationError, match="deleted this meanwhile"):
        members.save_membership(place, by=SYSTEM)
    assert not Membership.objects.filter(user=cast.acme.member.user).exists()


def sent_form(browser: Client, url: str, **changed: object) -> Callable[[], object]:
    """Open a form now, and return what sends it."""
    fields: dict[str, object] = {**fields_of(browser.get(url).content.decode()), **changed}

    def send() -> None:
        answer = browser.post(url, fields)
        if answer.status_code != 302:
            raise ValidationError(errors_of(answer.content.decode()))

    return send


def administrators(cast: Cast) -> Iterable[Client]:
    """Yield browsers of two who administer acme."""
    for who in (cast.acme.admin, cast.superuser):
        browser = Client()
        browser.force_login(who.user)
        yield browser


def test_two_administrators_who_save_at_once_get_no_error_page(cast: Cast) -> None:
    """One form gives two grants, the other ends a membership that one of them is for."""
    one, other = administrators(cast)
    for number in range(ROUNDS):
        first, second = make_repository(cast.acme.tenant, f"first-{number}"), cast.acme.repository
        place = cast.acme.reader.token.membership
        url = reverse("admin:repos_repository_change", args=[first.pk])
        grants = {
            "grants-TOTAL_FORMS": 2,
            "grants-0-subject": "members",
            "grants-0-role": Role.READER,
            "grants-1-subject": "user",
            "grants-1-membership": place.pk,
            "grants-1-role": Role.WRITER,
            "description": f"{number}",
        }
        give = sent_form(one, url, **grants)
        change = sent_form(
            other,
            reverse("admin:repos_repository_change", args=[second.pk]),
            description=f"{number}",
        )
        end = sent_form(
            other, reverse("admin:accounts_membership_change", args=[place.pk]), kind="admin"
        )
        heard = at_once(give, change, end)
        assert heard == ["", "", ""]
        place.kind = Membership.Kind.MEMBER
        members.save_membership(place, by=SYSTEM)


def test_the_same_form_sent_by_two_is_refused_once_with_what_was_typed(cast: Cast) -> None:
    one, other = administrators(cast)
    url = reverse("admin:repos_grant_add")
    fields = {
        "repository": cast.acme.repository.pk,
        "subject": "user",
        "membership": cast.acme.member.token.membership.pk,
        "role": Role.READER,
    }
    heard = at_once(sent_form(one, url, **fields), sent_form(other, url, **fields))
    assert heard.count("") == 1
    assert "change that one" in max(heard)
