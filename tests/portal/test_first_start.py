"""The first start of an installation, and every later one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

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
from tests.dists import make_wheel
from tests.upstreams import HTML, Reply, Server, json_line, serving

CONFIG = replace(
    django_settings.CONFIG, upstream_url="https://ann:s3cret-s3cret@mirror.example.org/simple"
)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no name be looked up: what is an address already is one."""

    def known(host: str, *more: Any, **options: Any):
        if not host.replace(".", "").isdigit():
            raise socket.gaierror(-2, "unknown")
        return looked_up(host, *more, **options)

    looked_up = socket.getaddrinfo
    monkeypatch.setattr("socket.getaddrinfo", known)
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)


@pytest.fixture
def index() -> Iterator[Server]:
    with serving() as running:
        yield running


def files_at(index: Server, url: str) -> None:
    index.add_page("pip", [json_line(*make_wheel("pip", "1.0")) | {"url": f"{url}f/pip.whl"}])


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


def test_an_index_inside_the_network_gets_the_host_of_its_files(db: None, index: Server) -> None:
    with serving() as files:
        files_at(index, files.url)
        made = first_start(replace(CONFIG, upstream_url=index.url))
        assert Upstream.objects.get().files_url == files.url
        assert made.about_files == (
            f"The index of pypi-remote has its files at {files.url}: the remote fetches them there."
        )
        assert (len(index.asked), files.asked) == (1, [])


def test_the_indexs_password_is_given_to_no_other_host_unasked(db: None, index: Server) -> None:
    with serving() as files:
        files_at(index, files.url)
        with_password = index.url.replace("//", "//ann:s3cret-s3cret@")
        made = first_start(replace(CONFIG, upstream_url=with_password))
    assert Upstream.objects.get().files_url == ""
    assert f"has its files at {files.url}. If that host may have the index's" in made.about_files
    assert "s3cret" not in made.about_files


def test_files_beside_their_index_need_no_setting(db: None, index: Server) -> None:
    index.add_files("pip", make_wheel("pip", "1.0"))
    made = first_start(replace(CONFIG, upstream_url=index.url))
    assert (Upstream.objects.get().files_url, made.about_files) == ("", "")


@pytest.mark.parametrize(
    ("address", "is_set"), [("198.18.0.9", True), ("8.8.8.8", False), ("169.254.169.254", False)]
)
def test_only_a_host_that_a_setting_may_open_is_set(
    db: None, index: Server, monkeypatch: pytest.MonkeyPatch, address: str, is_set: bool
) -> None:
    files_at(index, f"https://{address}/")
    made = first_start(replace(CONFIG, upstream_url=index.url))
    assert Upstream.objects.get().files_url == (f"https://{address}/" if is_set else "")
    assert bool(made.about_files) is is_set


def test_an_index_with_a_public_address_is_not_asked(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("8.8.8.8", 443))])
    monkeypatch.setattr("packages.upstream.file_host.asked_page", None)
    assert first_start(CONFIG).about_files == ""


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(status=404), "lists no files of pip"),
        (Reply(status=503), "is in trouble"),
        (Reply(b"<title>Welcome</title>", kind=HTML), "not one of an index"),
    ],
)
def test_what_is_not_found_out_is_said_and_leaves_the_rest_as_it_is(
    db: None, index: Server, reply: Reply, why: str
) -> None:
    index.always = reply
    made = first_start(replace(CONFIG, upstream_url=index.url))
    upstream = Upstream.objects.get()
    assert (upstream.files_url, upstream.private_allowed) == ("", True)
    assert made.about_files.startswith("Where the index has its files was not found out: ")
    assert why in made.about_files


def test_a_machine_without_a_network_starts_and_says_so(db: None) -> None:
    said = first_start(CONFIG).about_files
    assert said.endswith("The name mirror.example.org cannot be looked up.")


def test_who_takes_too_long_is_not_waited_for(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr("portal.file_host._SECONDS", 0.05)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: over.wait(10) and [])
    try:
        assert first_start(CONFIG).about_files.endswith("The index takes too long to answer.")
    finally:
        over.set()


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
    assert "The name mirror.example.org cannot be looked up." in first.getvalue()
    assert "Files " not in second.getvalue()
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
