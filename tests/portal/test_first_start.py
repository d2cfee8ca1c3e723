"""The first start of an installation, and every later one."""

from __future__ import annotations

import socket
from dataclasses import replace
from io import StringIO

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from accounts.models import Membership, Tenant, User
from accounts.principal import Principal
from accounts.roles import Role
from base.models import AuditEvent
from portal.first_start import first_start
from repos.access import require
from repos.models import Grant, Kind, Repository, Upstream
from repos.sealed import unseal

CONFIG = replace(
    django_settings.CONFIG, upstream_url="https://ann:s3cret-s3cret@mirror.example.org/simple"
)


def test_an_empty_installation_gets_all_it_needs(db: None) -> None:
    made = first_start(CONFIG)
    assert made.is_new
    assert made.password is not None
    admin = User.objects.get(username="admin")
    assert admin.check_password(made.password)
    assert admin.is_superuser
    assert Membership.objects.get(user=admin).is_admin
    kinds = dict(Repository.objects.values_list("key", "kind"))
    assert kinds == {
        "pypi-local": Kind.LOCAL,
        "pypi-remote": Kind.REMOTE,
        "pypi-virtual": Kind.VIRTUAL,
    }
    assert set(Grant.objects.values_list("subject", "role")) == {("members", Role.READER)}
    virtual = Repository.objects.get(key="pypi-virtual")
    assert [place.repository.key for place in virtual.members.all()] == [
        "pypi-local",
        "pypi-remote",
    ]
    assert require(Principal(user=admin), "main", "pypi-local", Role.WRITER)


def test_the_upstreams_credentials_are_sealed_and_written_nowhere(db: None) -> None:
    first_start(CONFIG)
    upstream = Upstream.objects.get()
    assert upstream.index_url == "https://mirror.example.org/simple"
    assert (upstream.username, upstream.private_allowed) == ("ann", True)
    # It is everybody's index: a company's own, beside it in a virtual, keeps its names from it.
    assert not upstream.keeps_names
    assert unseal(upstream.sealed_password) == "s3cret-s3cret"
    events = str(list(AuditEvent.objects.values_list("before", "after", "subject")))
    assert "s3cret" not in events


def test_a_later_start_changes_nothing(db: None) -> None:
    first_start(CONFIG)
    before = (User.objects.get().password, AuditEvent.objects.count())
    again = first_start(CONFIG)
    assert (again.is_new, again.password) == (False, None)
    assert before == (User.objects.get().password, AuditEvent.objects.count())


def test_a_given_password_is_used_and_not_shown(db: None) -> None:
    made = first_start(replace(CONFIG, admin_password="given-by-the-operator"))
    assert made.password is None
    assert User.objects.get().check_password("given-by-the-operator")


def test_a_machine_without_pip_still_starts(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.first_start.configured_index", lambda: None)
    first_start(replace(CONFIG, upstream_url="", default_tenant="acme"))
    assert Tenant.objects.get().slug == "acme"
    assert not Upstream.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_prepare_prints_the_password_once(settings, tmp_path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.CONFIG = CONFIG
    first, second = StringIO(), StringIO()
    call_command("prepare", stdout=first)
    call_command("prepare", stdout=second)
    assert "http://testserver/" in first.getvalue()
    assert "shown this once" in first.getvalue()
    assert "Password" not in second.getvalue()
    assert "s3cret" not in first.getvalue()


def test_an_address_that_is_taken_is_named_before_anything_is_made(db: None, settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings.CONFIG = replace(CONFIG, bind=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(CommandError, match="LARDER_BIND="):
            call_command("prepare", "--before-serving")
    assert not User.objects.exists()
