"""Who was let in to publish is remembered; whatever changes about it counts at the next file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import logins, members, tokens
from accounts.models import Membership, Token
from accounts.principal import Principal
from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from packages.models import Distribution
from pypi import let_in as remembering
from pypi.answer import Ask
from repos import configure
from repos.models import Grant, Kind, Member, VirtualSettings
from repos.targets import Target, target_of_client
from tests.cast import Cast, House, basic, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.uploads import form_body, post_form, twine_fields, upload

Change = Callable[[House], None]


def send(client: Client, cast: Cast, version: str, to: str = "/acme/local/") -> int:
    """Publish a frog as acme's writer, and return the status."""
    file = make_wheel("frog", version)
    by = cast.acme.writer
    return int(upload(client, "frog", version, file, by=by, to=to).status_code)


def revoke(acme: House) -> None:
    tokens.revoke(acme.writer.token, by=SYSTEM)


def disable(acme: House) -> None:
    acme.writer.user.is_active = False
    members.save_user(acme.writer.user, by=SYSTEM)


def end_the_membership(acme: House) -> None:
    members.end_membership(Membership.objects.get(user=acme.writer.user), by=SYSTEM)


def end_the_grant(acme: House) -> None:
    configure.end_grant(Grant.objects.get(membership__user=acme.writer.user), by=SYSTEM)


def let_the_token_read_alone(acme: House) -> None:
    token = Token.objects.get(pk=acme.writer.token.pk)
    token.role = Role.READER
    tokens.change(token, by=SYSTEM)


def let_the_token_publish_toads_alone(acme: House) -> None:
    token = Token.objects.get(pk=acme.writer.token.pk)
    token.project_patterns = ["toad"]
    tokens.change(token, by=SYSTEM)


def take_tiny_files_alone(acme: House) -> None:
    acme.repository.max_file_bytes = 10
    configure.change_repository(acme.repository, by=SYSTEM)


def give_the_tenant_no_room(acme: House) -> None:
    acme.tenant.refresh_from_db()
    acme.tenant.quota_files = 1
    members.save_tenant(acme.tenant, by=SYSTEM)


def take_it_out_of_service(acme: House) -> None:
    configure.delete_repository(acme.repository, by=SYSTEM)


CHANGES: dict[Change, HTTPStatus] = {
    revoke: HTTPStatus.UNAUTHORIZED,
    disable: HTTPStatus.UNAUTHORIZED,
    end_the_membership: HTTPStatus.UNAUTHORIZED,
    end_the_grant: HTTPStatus.FORBIDDEN,
    let_the_token_read_alone: HTTPStatus.FORBIDDEN,
    let_the_token_publish_toads_alone: HTTPStatus.FORBIDDEN,
    take_tiny_files_alone: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    give_the_tenant_no_room: HTTPStatus.FORBIDDEN,
    take_it_out_of_service: HTTPStatus.NOT_FOUND,
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
def test_what_has_changed_counts_at_the_next_file(
    client: Client, cast: Cast, change: Change
) -> None:
    assert send(client, cast, "1.0") == HTTPStatus.OK
    assert send(client, cast, "2.0") == HTTPStatus.OK
    change(cast.acme)
    assert send(client, cast, "3.0") == CHANGES[change]
    assert not Distribution.objects.filter(filename__contains="3.0").exists()


# How large a file may be is told before it comes, and holds for it.
DURING = [each for each in CHANGES if each is not take_tiny_files_alone]


@pytest.mark.parametrize("change", DURING, ids=lambda each: each.__name__)
def test_what_changes_during_an_upload_counts_for_it(
    client: Client, cast: Cast, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(client, cast, "1.0") == HTTPStatus.OK
    let_in = remembering.let_in

    def let_in_before_the_change(ask: Ask) -> Target:
        target = let_in(ask)
        change(cast.acme)
        return target

    monkeypatch.setattr("pypi.upload.let_in", let_in_before_the_change)
    assert send(client, cast, "2.0") >= HTTPStatus.BAD_REQUEST
    assert not Distribution.objects.filter(filename__contains="2.0").exists()


def test_a_token_ends_when_it_ends(
    client: Client, cast: Cast, time: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = Token.objects.get(pk=cast.acme.writer.token.pk)
    token.expires_at = time() + timedelta(hours=1)
    tokens.change(token, by=SYSTEM)
    assert send(client, cast, "1.0") == HTTPStatus.OK
    let_in = remembering.let_in

    def let_in_before_its_end(ask: Ask) -> Target:
        target = let_in(ask)
        time.move(hours=1)
        return target

    monkeypatch.setattr("pypi.upload.let_in", let_in_before_its_end)
    assert send(client, cast, "2.0") == HTTPStatus.UNAUTHORIZED
    monkeypatch.setattr("pypi.upload.let_in", let_in)
    assert send(client, cast, "3.0") == HTTPStatus.UNAUTHORIZED
    assert Distribution.objects.count() == 1


def post(client: Client, version: str, to: str, headers: dict[str, str]) -> int:
    """Publish a frog by whoever these headers show, and return the status."""
    filename, content = make_wheel("frog", version)
    fields = twine_fields("frog", version, filename, content)
    body = form_body(fields, filename=filename, content=content)
    sent = {name.lower().replace("-", "_"): value for name, value in headers.items()}
    return int(post_form(client, body, to=to, by=None, **sent).status_code)


def test_it_is_remembered_for_this_credential_and_this_repository(
    client: Client, cast: Cast
) -> None:
    acme, mine, local = cast.acme, cast.acme.writer.headers, "/acme/local/"
    make_repository(acme.tenant, "other")
    key = {"X-JFrog-Art-Api": acme.writer.secret}
    others: list[tuple[str, dict[str, str], HTTPStatus]] = [
        (local, acme.reader.headers, HTTPStatus.FORBIDDEN),
        (local, cast.globex.writer.headers, HTTPStatus.FORBIDDEN),
        (local, {}, HTTPStatus.UNAUTHORIZED),
        (local, basic("__token__", acme.writer.secret[:-1] + "x"), HTTPStatus.UNAUTHORIZED),
        (local, mine | {"X-JFrog-Art-Api": acme.reader.secret}, HTTPStatus.FORBIDDEN),
        ("/acme/other/", mine, HTTPStatus.FORBIDDEN),
        ("/globex/local/", mine, HTTPStatus.FORBIDDEN),
    ]
    # Nothing is changed from here on: what is remembered stands all the time.
    versions = map(str, range(1, 100))
    for to, headers, status in others:
        assert post(client, next(versions), local, mine) == HTTPStatus.OK
        assert post(client, next(versions), local, key) == HTTPStatus.OK
        assert post(client, next(versions), to, headers) == status
    assert Distribution.objects.count() == 2 * len(others)


def test_passwords_and_logins_are_not_remembered(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    members.set_password(cast.acme.writer.user, password="a password of wes", by=SYSTEM)
    login, _ = logins.create(user=cast.acme.writer.user, name="laptop", by=SYSTEM)
    access, _ = logins.access_token(login)
    asked: list[str] = []

    def counted(principal: Principal, tenant: str, key: str) -> Target:
        asked.append(principal.name)
        return target_of_client(principal, tenant, key)

    monkeypatch.setattr("pypi.let_in.target_of_client", counted)
    versions = map(str, range(1, 100))
    for headers in (basic("wes", "a password of wes"), {"Authorization": f"Bearer {access}"}):
        for _ in range(2):
            assert post(client, next(versions), "/acme/local/", headers) == HTTPStatus.OK
    assert len(asked) == 4


def test_what_changes_while_it_is_asked_who_may_is_seen(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stamp is read before anybody is asked: what comes between makes it an old one."""

    def asked_before_the_change(principal: Principal, tenant: str, key: str) -> Target:
        target = target_of_client(principal, tenant, key)
        end_the_grant(cast.acme)
        return target

    monkeypatch.setattr("pypi.let_in.target_of_client", asked_before_the_change)
    assert send(client, cast, "1.0") == HTTPStatus.FORBIDDEN
    monkeypatch.setattr("pypi.let_in.target_of_client", target_of_client)
    assert send(client, cast, "2.0") == HTTPStatus.FORBIDDEN
    assert not Distribution.objects.exists()


def test_a_virtual_passes_on_to_where_it_says_now(client: Client, cast: Cast) -> None:
    acme, virtual = cast.acme, make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    other = make_repository(acme.tenant, "other")
    grant(virtual, Role.READER, acme.writer)
    grant(other, Role.WRITER, acme.writer)
    below = [Member(repository=each) for each in (acme.repository, other)]
    configure.set_members(virtual, below, by=SYSTEM)
    for version, local in (("1.0", acme.repository), ("2.0", other), ("3.0", acme.repository)):
        settings = VirtualSettings.objects.filter(repository=virtual).first()
        settings = settings or VirtualSettings(repository=virtual)
        settings.deployment = local
        configure.save_virtual(settings, by=SYSTEM)
        assert send(client, cast, version, to="/acme/all/") == HTTPStatus.OK
        assert Distribution.objects.get(filename__contains=version).repository == local


def test_the_audit_names_the_address_of_each_upload(client: Client, cast: Cast) -> None:
    for version, address in (("1.0", "192.0.2.1"), ("2.0", "192.0.2.2")):
        file = make_wheel("frog", version)
        sender = Client(REMOTE_ADDR=address)
        done = upload(sender, "frog", version, file, by=cast.acme.writer)
        assert done.status_code == HTTPStatus.OK
        event = AuditEvent.objects.filter(action="distribution.publish").latest("pk")
        assert event.address == address
        assert event.token.startswith("wes's")


def test_the_next_file_asks_the_database_little(client: Client, cast: Cast) -> None:
    """The budget of a file of a known project, by whoever has published there before."""
    send(client, cast, "1.0")
    with CaptureQueriesContext(connection) as asked:
        assert send(client, cast, "2.0") == HTTPStatus.OK
    assert len(asked) <= 32
