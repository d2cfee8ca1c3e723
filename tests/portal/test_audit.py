"""Every unsafe route leaves its event, in the same transaction as the change.

The routes come from the URLconf. One that is neither known to change something, with its events,
nor known to change nothing, fails.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import resolve, reverse

from accounts import logins, members
from accounts.models import (
    Invitation,
    Issuer,
    Login,
    Membership,
    ServiceAccount,
    SignInFailures,
    Team,
    Tenant,
    Token,
    User,
)
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from base.models import AuditEvent
from base.wording import ACTS
from packages import describe
from packages.filenames import parse_filename
from packages.models import Distribution, LooseObject, Project, Release
from repos import configure
from repos.models import Grant, Kind, Repository, RepositoryState, TrustedPublisher
from tests.access.world import quick_and_stored_in
from tests.canary_tenant import first_of, furnish
from tests.cast import Cast, assemble
from tests.dists import make_wheel
from tests.portal.test_admin import add, change, fill_in
from tests.publishers import make_issuer, trust
from tests.routes import path_for, patterns
from tests.signing import ISSUER, claims_at, keys, signed
from tests.uploads import form_body, post_form, published, twine_fields, upload

_SLUG = r"[a-z0-9][a-z0-9._-]*"
_KEY = rf"(?P<key>{_SLUG})"
SET_UP = rf"^(?P<tenant>{_SLUG})/{_KEY}/-/set-up/$"
SET_UP_CLIENT = rf"^(?P<tenant>{_SLUG})/{_KEY}/-/set-up/(?P<client>[a-z-]+)/$"
FILE_PAGE = (
    rf"^(?P<tenant>{_SLUG})/{_KEY}/project/(?P<project>[^/]+)/(?P<version>[^/]+)/"
    r"(?P<filename>[^/]+)/$"
)
OWN_PASSWORD = {
    "old_password": "the-old-password",
    "new_password1": "the-new-password",
    "new_password2": "the-new-password",
}
SECRETS = ("the-new-password", "upstream-password", "lrd_", "lrp_")


@dataclass
class Scene:
    """The superuser's browser before a tenant that has one of everything."""

    root: Client
    cast: Cast

    def row(self, model: type[Any], **having: Any) -> Any:
        """Return a row of acme's."""
        if not having:
            return first_of(model, self.cast.acme.tenant)
        return model._default_manager.filter(**having).order_by("pk").first()


@pytest.fixture(scope="module")
def acme_furnished(
    django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Cast]]:
    """Acme with one of everything, in a transaction that is rolled back after the module."""
    folder = tmp_path_factory.mktemp("acme")
    with django_db_blocker.unblock(), transaction.atomic(), quick_and_stored_in(folder):
        cast = assemble()
        furnish(cast.acme, Client(), "acme")
        members.save_user(cast.superuser.user, by=SYSTEM, password="the-old-password")
        yield folder, cast
        transaction.set_rollback(True)


@pytest.fixture
def scene(
    acme_furnished: tuple[Path, Cast], db: None, own_storage: None, client: Client, settings
) -> Iterator[Scene]:
    """Acme as it was furnished; the short URLs lead to it."""
    folder, cast = deepcopy(acme_furnished)
    settings.DEFAULT_TENANT = "acme"
    settings.DEFAULT_REPOSITORY = ("acme", "local")
    with quick_and_stored_in(folder):
        client.force_login(cast.superuser.user)
        # As if its files had come just now, however long ago that is.
        states = RepositoryState.objects.exclude(extract_after=None)
        states.update(extract_after=clock.now() + timedelta(seconds=60))
        yield Scene(root=client, cast=cast)


@dataclass(frozen=True)
class Change:
    """What is done by a route, and the one event that it leaves."""

    name: str
    action: str
    do: Callable[[Scene], Any]
    actor: str = "root"
    keeps: str = "both"  # what the event must hold: before, after or both
    beside: str = ""  # the action of an event that goes with it
    prepare: Callable[[Scene], Any] | None = None

    @property
    def has_before(self) -> bool:
        """Say whether something stood before."""
        return self.keeps in {"before", "both"}

    @property
    def has_after(self) -> bool:
        """Say whether something stands after."""
        return self.keeps in {"after", "both"}


def act(model: str, action: str, row: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
    """Return what chooses a row in a list and applies an action to it."""

    def do(scene: Scene) -> Any:
        sent = {"action": action, "_selected_action": [row(scene).pk], "post": "yes"}
        return scene.root.post(reverse(f"admin:{model}_changelist"), sent)

    return do


def edit(model: str, row: Callable[[Scene], Any], /, **fields: Any) -> Callable[[Scene], Any]:
    """Return what changes fields of a row in its form."""
    return lambda scene: fill_in(scene.root, change(model, row(scene)), **fields)


def by_script(
    method: str, path: str | Callable[[Scene], str], body: str = ""
) -> Callable[[Scene], Any]:
    """Return what ada's script sends to Artifactory's REST."""

    def do(scene: Scene) -> Any:
        url = path if isinstance(path, str) else path(scene)
        shows = scene.cast.acme.admin.headers
        return Client().generic(method, f"/artifactory/{url}", body, headers=shows)

    return do


def delete(model: str, row: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
    """Return what deletes a row after asking."""

    def do(scene: Scene) -> Any:
        url = reverse(f"admin:{model}_delete", args=[row(scene).pk])
        # A repository asks for its name.
        return scene.root.post(url, {"post": "yes", "typed": str(row(scene))})

    return do


def new(model: str, fields: Callable[[Scene], dict[str, Any]]) -> Callable[[Scene], Any]:
    """Return what fills in the form for a new row."""
    return lambda scene: fill_in(scene.root, add(model), **fields(scene))


def one(model: type[Any], **having: Any) -> Callable[[Scene], Any]:
    """Return what finds a row of acme's."""
    return lambda scene: scene.row(model, **having)


def acme(scene: Scene) -> Tenant:
    return scene.cast.acme.tenant


def local(scene: Scene) -> Repository:
    return scene.cast.acme.repository


def wes(scene: Scene) -> Membership:
    return scene.cast.acme.writer.token.membership


def invite(name: str) -> Callable[[Scene], Any]:
    """Return what acme's own admin does to invite somebody."""

    def do(scene: Scene) -> Any:
        scene.root.force_login(scene.cast.acme.admin.user)
        return fill_in(scene.root, add("accounts_invitation"), username=name)

    return do


def invited(scene: Scene) -> Invitation:
    """The invitation of the stranger to acme."""
    return Invitation.objects.get(tenant=acme(scene), username="sam")


def answer(choice: str) -> Callable[[Scene], Any]:
    """Return what the stranger does about it."""

    def do(scene: Scene) -> Any:
        scene.root.force_login(scene.cast.stranger.user)
        url = reverse("invitation", args=[invited(scene).pk])
        return scene.root.post(url, {"answer": choice})

    return do


def as_root(do: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
    """Return what does it, and lets the superuser go on."""

    def then(scene: Scene) -> Any:
        done = do(scene)
        scene.root.force_login(scene.cast.superuser.user)
        return done

    return then


def grant_number(scene: Scene) -> int:
    rows = list(local(scene).grants.all())
    return next(number for number, row in enumerate(rows) if row.membership == wes(scene))


def grants_form(**fields: Any) -> Callable[[Scene], Any]:
    """Return what changes the grant of wes beneath the repository."""

    def do(scene: Scene) -> Any:
        number = grant_number(scene)
        sent = {f"grants-{number}-{name}": value for name, value in fields.items()}
        return fill_in(scene.root, change("repos_repository", local(scene)), **sent)

    return do


def password(scene: Scene) -> Any:
    return scene.root.post(reverse("admin:password_change"), OWN_PASSWORD)


def own_password(scene: Scene) -> Any:
    return scene.root.post(reverse("password"), OWN_PASSWORD)


def wes_himself(scene: Scene) -> Client:
    """The browser in which wes has signed in."""
    scene.root.force_login(scene.cast.acme.writer.user)
    return scene.root


def own_token(scene: Scene) -> Any:
    sent = {"name": "new", "role": Role.READER, "repositories": [local(scene).pk]}
    return wes_himself(scene).post(reverse("new-token"), sent | {"expires_at": "7"})


def narrower(scene: Scene) -> Any:
    token = scene.cast.acme.writer.token
    sent = {"name": token.name, "role": Role.READER, "repositories": [local(scene).pk]}
    return wes_himself(scene).post(reverse("token", args=[token.pk]), sent)


def revoked(scene: Scene) -> Any:
    token = scene.cast.acme.writer.token
    return wes_himself(scene).post(reverse("revoke-token", args=[token.pk]))


def logged_in(scene: Scene) -> Any:
    return logins.create(user=scene.cast.acme.writer.user, name="laptop", by=SYSTEM)


def login_ended(scene: Scene) -> Any:
    return wes_himself(scene).post(reverse("end-login", args=[scene.row(Login).pk]))


def set_up_at(client: str) -> Callable[[Scene], Any]:
    """Return what makes a token beside a client's snippets."""
    sent = {"purpose": "install", "days": "7"}
    return lambda scene: wes_himself(scene).post(f"/acme/local/-/set-up/{client}", sent)


def quarantined_upstream(scene: Scene) -> None:
    """Let acme's remote keep a file that upstream has quarantined."""
    local_file, filename = scene.row(Distribution), "toad-1.0-py3-none-any.whl"
    remote = _REMOTE(scene)
    project = Project.objects.create(
        repository=remote, name="toad", normalized="toad", created_at=clock.now()
    )
    release = Release.objects.create(
        project=project, version="1.0", canonical="1", version_key="1", created_at=clock.now()
    )
    values = {"kind": "wheel", "size": local_file.size, "sha256": local_file.sha256}
    Distribution.objects.create(
        repository=remote,
        release=release,
        blob=local_file.blob,
        filename=filename,
        identity=parse_filename(filename, name="toad", version="1.0").identity,
        uploaded_at=clock.now(),
        upstream_change=Distribution.UpstreamChange.QUARANTINED,
        **values,
    )


def failed_file(scene: Scene) -> None:
    """Let the extraction of a file fail."""
    Distribution.objects.filter(pk=scene.row(Distribution).pk).update(
        extraction=Distribution.Extraction.FAILED, extraction_reason="It is damaged."
    )


def unnamed_file(scene: Scene) -> None:
    """Let a file have no name."""
    Distribution.objects.filter(pk=scene.row(Distribution).pk).update(
        extraction=Distribution.Extraction.UNLISTED, release=None
    )


def no_other_file(scene: Scene) -> None:
    """Let acme's local have one file."""
    others = Distribution.objects.filter(repository=local(scene))
    others.exclude(pk=scene.row(Distribution).pk).update(deleted_at=clock.now())


def at_the_file(path: str) -> Callable[[Scene], str]:
    """Return what fills in where acme's file is."""
    return lambda scene: path.format(scene.row(Distribution).path)


def approved_file(scene: Scene) -> None:
    """Let somebody have approved a file."""
    describe.set_by_person(scene.row(Distribution), {"qa.approved": ["yes"]}, by=SYSTEM)


def purge_from_the_list(scene: Scene) -> Any:
    """Choose a remote in the list, and type its name when asked."""
    remote = _REMOTE(scene)
    sent = {"action": "purge", "_selected_action": [remote.pk], "post": "yes"}
    return scene.root.post(
        reverse("admin:packages_remote_changelist"), sent | {f"typed-{remote.pk}": remote}
    )


def press(**sent: str) -> Callable[[Scene], Any]:
    """Return what presses a button of the page about extraction."""

    def do(scene: Scene) -> Any:
        url = reverse("extraction", args=["acme", "local"])
        return scene.root.post(url, {"file": scene.row(Distribution).pk, **sent})

    return do


def on_page_of_file(**sent: str) -> Callable[[Scene], Any]:
    """Return what presses a button of the page of a file, be it named or not."""

    def do(scene: Scene) -> Any:
        row = scene.row(Distribution)
        if row.release is None:
            url = reverse("unlisted-file", args=["acme", "local", row.path])
        else:
            place = (row.release.project.normalized, row.release.version, row.filename)
            url = reverse("file-page", args=["acme", "local", *place])
        return scene.root.post(url, sent)

    return do


def do_to_file(do: str, of: Callable[[Scene], Any], **said: str) -> Callable[[Scene], Any]:
    """Return what sends a form of the tab Manage of a file, or of the banner above it."""

    def send(scene: Scene) -> Any:
        row = of(scene)
        project, where = row.release.project, [row.repository.tenant.slug, row.repository.key]
        named = [project.normalized, row.release.version, row.filename]
        fields = {f"{do}-{name}": said[name] for name in said}
        fields |= {f"{do}-typed": project.normalized, "do": do}
        return scene.root.post(reverse("file-page", args=[*where, *named]), fields)

    return send


def on_page(view: str, *, do: str, **sent: str) -> Callable[[Scene], Any]:
    """Return what sends a form of the page of a project, or of a release of it."""

    def send(scene: Scene) -> Any:
        release = scene.row(Distribution).release
        where = [release.project.repository.tenant.slug, release.project.repository.key]
        named = [release.project.normalized] + ([release.version] if view == "release" else [])
        said = sent | ({"typed": release.project.normalized} if do == "yank" else {})
        fields = {f"{do}-{name}": value for name, value in said.items()}
        return scene.root.post(reverse(view, args=[*where, *named]), fields | {"do": do})

    return send


def yanked_release(scene: Scene) -> None:
    """Let a release be yanked."""
    Release.objects.filter(distributions=scene.row(Distribution)).update(yanked=True)


def by_hand(scene: Scene) -> Any:
    """Upload a file with the page for people."""
    return by_hand_at("upload")(scene)


def by_hand_at(view: str) -> Callable[[Scene], Any]:
    """Send a file as the page for people does, to one of its URLs."""

    def do(scene: Scene) -> Any:
        scene.root.force_login(scene.cast.acme.writer.user)
        filename, content = make_wheel("toad", "1.0")
        file = SimpleUploadedFile(filename, content)
        return scene.root.post(reverse(view, args=["acme", "local"]), {"content": file})

    return do


def cached_file(scene: Scene) -> Distribution:
    return Distribution.objects.get(repository=_REMOTE(scene))


_REMOTE, _VIRTUAL = one(Repository, kind=Kind.REMOTE), one(Repository, kind=Kind.VIRTUAL)
CI = "GitHub at ci.example: octo/frog, release.yml"
_given_to_ci: list[str] = []


def trust_ci(scene: Scene) -> None:
    """Let CI publish to acme's local."""
    trust(local(scene), make_issuer())


def new_issuer(_scene: Scene) -> Any:
    """Let there be an issuer."""
    return make_issuer()


def issuer(_scene: Scene) -> Issuer:
    """The issuer that there is."""
    return Issuer.objects.get(url=ISSUER)


def publisher(_scene: Scene) -> TrustedPublisher:
    """The publisher that there is."""
    return TrustedPublisher.objects.get(source="octo/frog")


def publisher_by_hand(scene: Scene) -> Any:
    """Trust a workflow, on the page of a repository."""
    says = {"kind": "github", "project": "Frog", "owner": "octo", "name": "frog"}
    url = reverse("publishers", args=["acme", "local"])
    says |= {"workflow": "release.yml", "issuer": str(issuer(scene).pk)}
    return scene.root.post(url, says)


def to_publisher(what: str, **fields: str) -> Callable[[Scene], Any]:
    """Return what presses a button of the page of a publisher."""

    def do(scene: Scene) -> Any:
        url = reverse("publisher", args=["acme", "local", publisher(scene).pk])
        return scene.root.post(url, {"do": what} | fields)

    return do


def exchange(_scene: Scene) -> Any:
    """Exchange what CI shows."""
    shows = {"token": signed(claims_at(clock.now()))}
    with patch("pypi.trusted_publishing.keys_of", return_value=keys("one")):
        return Client().post("/_/oidc/mint-token", shows, content_type="application/json")


def give_ci_a_token(scene: Scene) -> None:
    """Let CI have a token."""
    trust_ci(scene)
    _given_to_ci[:] = [exchange(scene).json()["token"]]


def burn_last(_scene: Scene) -> Any:
    """Let CI end its token."""
    sent = {"token": _given_to_ci[0]}
    return Client().post("/_/oidc/burn-token", sent, content_type="application/json")


_UPSTREAM = {"upstream-0-index_url": "https://new.example.org/"}

_SLUG = r"[a-z0-9][a-z0-9._-]*"
_KEY = rf"(?P<key>{_SLUG})"

# By route: model and view of the admin, or a view of the site.
CHANGES: dict[str, list[Change]] = {
    "password_change": [Change("one's own password", "user.change", password)],
    "accounts_tenant_add": [
        Change("a tenant", "tenant.create", new("accounts_tenant", lambda _: {"slug": "initech"}),
               keeps="after"),
    ],
    "accounts_tenant_change": [
        Change("a tenant", "tenant.change", edit("accounts_tenant", acme, quota_bytes=7)),
    ],
    "accounts_user_add": [
        Change("a user", "user.create",
               new("accounts_user",
                   lambda _: {"username": "peter", "new_password": "the-new-password"}),
               keeps="after"),
    ],
    "accounts_user_change": [
        Change("a user", "user.change",
               edit("accounts_user", one(User, username="sam"), is_active=None)),
        Change("a password", "user.change",
               edit("accounts_user", one(User, username="sam"), new_password="the-new-password")),
    ],
    "accounts_serviceaccount_add": [
        Change("a service account", "user.create",
               new("accounts_serviceaccount",
                   lambda scene: {"service_of": acme(scene).pk, "name": "robot"}),
               keeps="after"),
    ],
    "accounts_serviceaccount_change": [
        Change("a service account", "user.change",
               edit("accounts_serviceaccount", one(ServiceAccount), is_active=None)),
    ],
    "accounts_membership_add": [
        Change("a member", "membership.create",
               new("accounts_membership",
                   lambda scene: {"tenant": acme(scene).pk, "user": scene.cast.stranger.user.pk}),
               keeps="after"),
    ],
    "accounts_invitation_add": [
        Change("an invitation", "membership.invite", invite("sam"), actor="ada", keeps="after"),
        Change("an invitation of nobody", "membership.invite", invite("nobody"), actor="ada",
               keeps="after"),
    ],
    "accounts_invitation_delete": [
        Change("an invitation", "membership.withdraw", delete("accounts_invitation", invited),
               keeps="before", prepare=as_root(invite("sam"))),
    ],
    "accounts_invitation_changelist": [
        Change("invitations", "membership.withdraw",
               act("accounts_invitation", "delete_selected", invited),
               keeps="before", prepare=as_root(invite("sam"))),
    ],
    "accounts/invitations/<int:pk>/": [
        Change("an invitation accepted", "membership.create", answer("join"), actor="sam",
               keeps="after", prepare=invite("sam")),
        Change("an invitation declined", "membership.decline", answer("decline"), actor="sam",
               keeps="after", prepare=invite("sam")),
    ],
    "accounts/password/": [
        Change("one's own password, in the portal", "user.change", own_password),
    ],
    "accounts/tokens/new/": [
        Change("a token of one's own", "token.create", own_token, actor="wes", keeps="after"),
    ],
    "accounts/tokens/<int:pk>/": [
        Change("a narrower token", "token.change", narrower, actor="wes"),
    ],
    "accounts/logins/<int:pk>/revoke/": [
        Change("a login ended", "login.revoke", login_ended, actor="wes", prepare=logged_in),
    ],
    "accounts/tokens/<int:pk>/revoke/": [
        Change("a token of one's own ended", "token.revoke", revoked, actor="wes"),
    ],
    SET_UP: [Change("a token", "token.create", set_up_at(""), actor="wes", keeps="after")],
    SET_UP_CLIENT: [
        Change("a token", "token.create", set_up_at("uv/"), actor="wes", keeps="after"),
    ],
    "accounts_membership_change": [
        Change("a member", "membership.change", edit("accounts_membership", wes, kind="admin")),
    ],
    "accounts_membership_delete": [
        Change("a member", "membership.end", delete("accounts_membership", wes), keeps="before"),
    ],
    "accounts_membership_changelist": [
        Change("members", "membership.end", act("accounts_membership", "delete_selected", wes),
               keeps="before"),
    ],
    "accounts_team_add": [
        Change("a team", "team.create",
               new("accounts_team", lambda scene: {"tenant": acme(scene).pk, "name": "crew"}),
               keeps="after"),
    ],
    "accounts_team_change": [
        Change("a team", "team.change", edit("accounts_team", one(Team), members=[])),
    ],
    "accounts_team_delete": [
        Change("a team", "team.delete", delete("accounts_team", one(Team)), keeps="before"),
    ],
    "accounts_team_changelist": [
        Change("teams", "team.delete", act("accounts_team", "delete_selected", one(Team)),
               keeps="before"),
    ],
    "accounts_token_add": [
        Change("a token", "token.create",
               new("accounts_token",
                   lambda scene: {"membership": wes(scene).pk, "name": "new",
                                  "all_repositories": None, "repositories": [local(scene).pk]}),
               keeps="after"),
    ],
    "accounts_token_change": [
        Change("a token", "token.change", edit("accounts_token", one(Token), role=Role.READER)),
        Change("where a token works", "token.change",
               edit("accounts_token", one(Token), all_repositories=None, repositories=[])),
    ],
    "accounts_token_changelist": [
        Change("a token", "token.revoke", act("accounts_token", "revoke", one(Token))),
    ],
    "repos_repository_add": [
        Change("a repository", "repository.create",
               new("repos_repository",
                   lambda scene: {"tenant": acme(scene).pk, "key": "new", "members_read": None}),
               keeps="after"),
    ],
    "repos_repository_change": [
        Change("settings", "repository.change", edit("repos_repository", local, description="x")),
        Change("an upstream", "upstream.change", edit("repos_repository", _REMOTE, **_UPSTREAM,
               **{"upstream-0-new_password": "upstream-password"})),
        Change("a cleared password", "upstream.change",
               edit("repos_repository", _REMOTE, **{"upstream-0-clear_password": "on"})),
        Change("members", "members.change",
               edit("repos_repository", _VIRTUAL, **{"members-0-DELETE": "on"})),
        Change("how a virtual merges", "virtual.change",
               edit("repos_repository", _VIRTUAL, **{"virtual_settings-0-merge": "first"})),
        Change("a name also from upstream", "also_upstream.add",
               edit("repos_repository", _VIRTUAL, **{"also_upstream-1-normalized": "frog"}),
               keeps="after"),
        Change("a name no longer from upstream", "also_upstream.remove",
               edit("repos_repository", _VIRTUAL, **{"also_upstream-0-DELETE": "on"}),
               keeps="before"),
        Change("a claim", "claim.add",
               edit("repos_repository", local, **{"claims-1-pattern": "frog"}), keeps="after"),
        Change("a claim taken back", "claim.remove",
               edit("repos_repository", local, **{"claims-0-DELETE": "on"}), keeps="before"),
        Change("a grant", "grant.change", grants_form(role=Role.ADMIN)),
        Change("a grant taken away", "grant.end", grants_form(DELETE="on"), keeps="before"),
    ],
    "repos_repository_delete": [
        Change("a repository", "repository.delete", delete("repos_repository", _VIRTUAL)),
    ],
    "repos_repository_changelist": [
        Change("extraction now", "extraction.now", act("repos_repository", "extract_now", local)),
    ],
    "repos_grant_add": [
        Change("a grant", "grant.create",
               new("repos_grant",
                   lambda scene: {"repository": local(scene).pk, "subject": "members"}),
               keeps="after"),
    ],
    "repos_grant_change": [
        Change("a grant", "grant.change",
               edit("repos_grant", one(Grant, subject="team"), role=Role.ADMIN)),
    ],
    "repos_grant_delete": [
        Change("a grant", "grant.end", delete("repos_grant", one(Grant)), keeps="before"),
    ],
    "repos_grant_changelist": [
        Change("grants", "grant.end", act("repos_grant", "delete_selected", one(Grant)),
               keeps="before"),
    ],
    "accounts_issuer_add": [
        Change("an issuer", "issuer.create",
               new("accounts_issuer",
                   lambda _: {"kind": "github", "url": "https://new.example"}), keeps="after"),
    ],
    "accounts_issuer_change": [
        Change("an issuer", "issuer.change",
               edit("accounts_issuer", issuer, private_allowed="on"), prepare=new_issuer),
    ],
    "accounts_issuer_delete": [
        Change("an issuer", "issuer.delete", delete("accounts_issuer", issuer), keeps="before",
               prepare=new_issuer),
    ],
    "accounts_issuer_changelist": [
        Change("issuers", "issuer.delete", act("accounts_issuer", "delete_selected", issuer),
               keeps="before", prepare=new_issuer),
    ],
    "repos_trustedpublisher_add": [
        Change("a publisher", "publisher.add",
               new("repos_trustedpublisher",
                   lambda scene: {"repository": local(scene).pk, "normalized": "frog",
                                  "issuer": issuer(scene).pk, "source": "octo/frog",
                                  "workflow": "release.yml"}),
               keeps="after", prepare=new_issuer),
    ],
    "repos_trustedpublisher_delete": [
        Change("a publisher", "publisher.remove", delete("repos_trustedpublisher", publisher),
               keeps="before", prepare=trust_ci),
    ],
    "repos_trustedpublisher_changelist": [
        Change("publishers", "publisher.remove",
               act("repos_trustedpublisher", "delete_selected", publisher), keeps="before",
               prepare=trust_ci),
    ],
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/publishers/$": [
        Change("a publisher, on the page", "publisher.add", publisher_by_hand,
               keeps="after", prepare=new_issuer),
    ],
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/publishers/(?P<pk>[0-9]{{1,18}})/$": [
        Change("a publisher taken away there", "publisher.remove", to_publisher("remove"),
               keeps="before", prepare=trust_ci),
        Change("another of its name", "publisher.anew", to_publisher("anew", source_id="816"),
               prepare=trust_ci),
    ],
    "packages_project_change": [
        Change("a status", "contents.status",
               edit("packages_project", one(Project), status="archived")),
    ],
    "packages_project_changelist": [
        Change("a name let go", "contents.let_go",
               act("packages_project", "let_go", one(Project))),
    ],
    "packages_release_change": [
        Change("a yanked release", "contents.yank",
               edit("packages_release", one(Release), yanked="on", yanked_reason="broken")),
    ],
    "packages_distribution_change": [
        Change("a yanked file", "contents.yank",
               edit("packages_distribution", one(Distribution), yanked="on")),
        Change("a property", "properties.change",
               edit("packages_distribution", one(Distribution),
                    **{"properties-0-name": "qa.approved", "properties-0-value": "yes"})),
        Change("a property removed", "properties.change",
               edit("packages_distribution", one(Distribution), **{"properties-0-DELETE": "on"}),
               prepare=approved_file),
    ],
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/upload/$": [
        Change("a file by hand", "distribution.deploy", by_hand, actor="wes", keeps="after"),
    ],
    FILE_PAGE: [
        Change("a property on the page of a file", "properties.change",
               on_page_of_file(do="set", name="qa.approved", values="yes\nby ada")),
        Change("a property taken away there", "properties.change",
               on_page_of_file(do="remove", name="qa.approved"), prepare=approved_file),
        Change("a failed file again, there", "contents.try_again", on_page_of_file(do="again"),
               prepare=failed_file),
        Change("a yanked file on its page", "contents.yank",
               do_to_file("yank", one(Distribution), reason="torn")),
        Change("a yank taken back there", "contents.unyank",
               do_to_file("unyank", one(Distribution)),
               prepare=lambda _scene: Distribution.objects.update(yanked=True)),
        Change("a deleted file, there", "contents.delete",
               do_to_file("delete", one(Distribution))),
        Change("a restored file, there", "contents.restore",
               do_to_file("restore", one(Distribution)),
               prepare=lambda _scene: Distribution.objects.update(deleted_at=clock.now())),
        Change("a dropped file, there", "upstream.drop", do_to_file("drop", cached_file),
               prepare=quarantined_upstream, keeps="before"),
        Change("a lifted quarantine, there", "upstream.lift", do_to_file("lift", cached_file),
               prepare=quarantined_upstream, keeps="after"),
    ],
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/unlisted/(?P<path>[^?]+)/$": [
        Change("a name on the page of a file", "properties.change",
               on_page_of_file(do="set", name="pypi.name", values="frog"), prepare=unnamed_file),
    ],
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/upload/publish/$": [
        Change("a checked file", "distribution.publish", by_hand_at("upload-publish"), actor="wes",
               keeps="after"),
    ],
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/extraction/$": [
        Change("extraction now", "extraction.now", press(do="now")),
        Change("a failed file again", "contents.try_again", press(do="again"),
               prepare=failed_file),
        Change("a file's name", "properties.change", press(do="name", name="frog"),
               prepare=unnamed_file),
    ],
    rf"^(?P<tenant>{_SLUG})/{_KEY}/project/(?P<project>[^/]+)/$": [
        Change("a project's status", "contents.status",
               on_page("project", do="status", status="archived", reason="done")),
    ],
    rf"^(?P<tenant>{_SLUG})/{_KEY}/project/(?P<project>[^/]+)/(?P<version>[^/]+)/$": [
        Change("a release", "contents.yank",
               on_page("release", do="yank", what="release", reason="croaks")),
        Change("a release again", "contents.unyank",
               on_page("release", do="unyank", what="release"), prepare=yanked_release),
    ],
    "packages_remote_change": [
        Change("a purge", "upstream.purge",
               lambda scene: fill_in(scene.root, change("packages_remote", _REMOTE(scene)),
                                     typed=_REMOTE(scene))),
    ],
    "packages_remote_changelist": [
        Change("a purge from the list", "upstream.purge", purge_from_the_list),
    ],
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/cache/$": [
        Change("a purge from the remote's own page", "upstream.purge",
               lambda scene: scene.root.post(
                   reverse("cache", args=["acme", _REMOTE(scene).key]), {"typed": _REMOTE(scene)}
               )),
    ],
    "packages_distribution_delete": [
        Change("a kept file", "upstream.drop",
               delete("packages_distribution", cached_file), keeps="before",
               prepare=quarantined_upstream),
        Change("a file", "contents.delete", delete("packages_distribution", one(Distribution))),
    ],
    "packages_distribution_changelist": [
        Change("files", "contents.delete",
               act("packages_distribution", "delete_selected", one(Distribution))),
        Change("a quarantine lifted", "upstream.lift",
               act("packages_distribution", "lift_quarantine", cached_file), keeps="after",
               prepare=quarantined_upstream),
        Change("a failed file again", "contents.try_again",
               act("packages_distribution", "try_again", one(Distribution)),
               prepare=failed_file),
        Change("a yanked file in the list", "contents.yank",
               act("packages_distribution", "yank", one(Distribution))),
        Change("an unyanked file in the list", "contents.unyank",
               act("packages_distribution", "unyank", one(Distribution)),
               prepare=act("packages_distribution", "yank", one(Distribution))),
        Change("a restored file", "contents.restore",
               act("packages_distribution", "restore", one(Distribution)),
               prepare=delete("packages_distribution", one(Distribution))),
    ],
    "artifactory/api/repositories/<str:key>": [
        Change("a repository by script", "repository.create",
               by_script("PUT", "api/repositories/new", '{"rclass":"local","packageType":"pypi"}'),
               actor="ada", keeps="after", beside="grant.create"),
        Change("settings by script", "repository.change",
               by_script("POST", "api/repositories/local", '{"description":"x"}'), actor="ada"),
        Change("an upstream by script", "upstream.change",
               by_script("POST", lambda scene: f"api/repositories/{_REMOTE(scene).key}",
                         '{"offline":true,"password":"upstream-password"}'), actor="ada"),
        Change("members by script", "members.change",
               by_script("POST", lambda scene: f"api/repositories/{_VIRTUAL(scene).key}",
                         '{"repositories":[]}'), actor="ada"),
        Change("a repository out of service by script", "repository.delete",
               by_script("DELETE", lambda scene: f"api/repositories/{_VIRTUAL(scene).key}"),
               actor="ada"),
    ],
    **{
        f"artifactory/api/storage/<str:key>{end}": [
            Change(f"properties by script at {end}", "properties.change",
                   by_script("PUT", f"api/storage/local{end}?properties=a=b"),
                   actor="ada", prepare=no_other_file),
        ]
        for end in ("", "/")
    },
    "artifactory/api/storage/<str:key>/<path:path>": [
        Change("properties by script", "properties.change",
               by_script("PUT", at_the_file("api/storage/local/{}?properties=a=b")), actor="ada"),
        Change("properties removed by script", "properties.change",
               by_script("DELETE", at_the_file("api/storage/local/{}?properties=qa.approved")),
               actor="ada", prepare=approved_file),
    ],
    "artifactory/api/metadata/<str:key>/<path:path>": [
        Change("properties as JSON", "properties.change",
               by_script("PATCH", at_the_file("api/metadata/local/{}"), '{"props":{"a":"b"}}'),
               actor="ada"),
    ],
    "_/oidc/mint-token": [
        Change("a token for CI", "publisher.token", exchange, actor=CI, keeps="after",
               prepare=trust_ci),
    ],
    "_/oidc/burn-token": [
        Change("the end of a token of CI", "publisher.burn", burn_last, actor=CI,
               prepare=give_ci_a_token),
    ],
    "artifactory/<key:key>/<path:path>": [
        Change("a file by script", "distribution.deploy",
               by_script("PUT", "local/libs/newt-1.0.zip", "PK"), actor="ada", keeps="after"),
        Change("a file deleted by script", "contents.delete",
               by_script("DELETE", at_the_file("local/{}")), actor="ada"),
    ],
}  # fmt: skip

# Views of the admin that change nothing: they are never added to, or only show.
NOTHING_IN_THE_ADMIN = {
    "packages_remote_add", "packages_remote_delete",
    "index", "login", "logout", "password_change_done", "autocomplete", "jsi18n", "app_list",
    "accounts_tenant_changelist", "accounts_tenant_delete",
    "accounts_user_changelist", "accounts_user_delete",
    "accounts_serviceaccount_changelist", "accounts_serviceaccount_delete",
    "accounts_token_delete",
    "packages_project_add", "packages_project_delete",
    "packages_release_changelist", "packages_release_add", "packages_release_delete",
    "packages_distribution_add",
    "accounts_invitation_change", "repos_trustedpublisher_change",
    "base_auditevent_changelist", "base_auditevent_add", "base_auditevent_change",
    "base_auditevent_delete",
    *(f"{model._meta.label_lower.replace('.', '_')}_history" for model in admin.site._registry),
}  # fmt: skip
NOTHING_ELSEWHERE = {
    "_/oidc/audience", ".well-known/pytp",
    "artifactory", "artifactory/", "artifactory/<str:key>", "artifactory/<str:key>/",
    "artifactory/api/repositories", "artifactory/api/repositories/",
    "artifactory/api/search/prop", "artifactory/api/search/aql",
    "artifactory/api", "artifactory/api/", "artifactory/api/<noindex:rest>",
    "artifactory/api/system/ping",
    "", "-/health", "-/ready", "accounts/", "accounts/tokens/", "accounts/sign-in/",
    "accounts/sign-out/", "favicon.ico", "search/", "search/go/",
    "^api/v1/schema(?:/)?$", "^api/v1/docs(?:/)?$",
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/upload/check/$",
    rf"^(?P<tenant>{_SLUG})/-/audit/$",
}  # fmt: skip
# tests/portal/test_rest_audit.py has a table of the REST door's operations.
REST = "api/v1/"
# Beneath the root of a repository, under each of its prefixes, the PyPI door only reads.
NOTHING_IN_THE_DOOR = {
    "simple", "simple/", "simple/<str:project>", "simple/<str:project>/", "+simple/<str:project>",
    "+simple/<str:project>/", "files/<str:project>/<str:sha256>/<str:filename>", "<str:project>",
    "<str:project>/", "files/<str:project>/<str:filename>", "pypi/<str:project>/json",
    "pypi/<str:project>/json/", "pypi/<str:project>/<str:version>/json",
    "pypi/<str:project>/<str:version>/json/",
}  # fmt: skip
DOORS = (
    rf"^artifactory/api/pypi/{_KEY}", rf"^artifactory/pypi/{_KEY}", rf"^api/pypi/{_KEY}", "^pypi",
    rf"^(?P<tenant>{_SLUG})/{_KEY}",
)  # fmt: skip
NOTHING_FOR_PEOPLE = {
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/compare/(?P<project>[^/]+)/$",
    rf"^(?P<tenant>{_SLUG})/{_KEY}/-/raw/(?P<path>.+)$",
    *(
        rf"^(?P<tenant>{_SLUG})/{_KEY}/-/{page}/$"
        for page in (
            "access",
            "activity",
            "cache/purge",
            "explain",
            "members",
            "set-up/seen",
            "waiting",
        )
    ),
    *(
        rf"^(?P<tenant>{_SLUG})/{_KEY}/browse/{node}$"
        for node in ("", "(?P<project>[^/]+)/", "(?P<project>[^/]+)/(?P<version>[^/]+)/")
    ),
    rf"^(?P<slug>{_SLUG})/$",
    r"^(?P<name>.*?)/(?P<rest>(?:\+?simple|files)(?:/.*)?)$",
}
UPLOADS = [f"{door}{end}" for door in DOORS for end in ("/$", "(?://)?$")]


def beneath_the_doors() -> set[str]:
    """Return the routes of the PyPI door that only read, once more below the scope of a remote."""
    scoped = {rest for rest in NOTHING_IN_THE_DOOR if rest.startswith(("simple", "+", "files"))}
    # The short URLs name no repository, and so no remote with a scope.
    named = [door for door in DOORS if door != "^pypi"]
    return {f"{door}/{rest}" for door in DOORS for rest in NOTHING_IN_THE_DOOR} | {
        f"{door}/<scope:scope>{rest}"
        for door in named
        for rest in ("", "/", *(f"/{each}" for each in scoped))
    }


def in_the_admin(pattern: str) -> str:
    """Return the name of the admin's view that answers `pattern`; empty for one without."""
    found = resolve(path_for(pattern))
    return found.url_name or "" if found.app_name == "admin" else ""


def changes_nothing(pattern: str) -> bool:
    """Say whether the tables above have the route among those that change nothing."""
    if pattern.startswith("admin/"):
        if pattern == "admin/(?P<url>.*)$" or pattern.endswith("/<path:object_id>/"):
            return True  # the last resort, and the old form of change URLs
        return in_the_admin(pattern) in NOTHING_IN_THE_ADMIN
    beneath = beneath_the_doors()
    return pattern in NOTHING_ELSEWHERE | NOTHING_FOR_PEOPLE | beneath


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of our tables; when somebody last signed in is no change."""
    rows = {}
    for config in apps.get_app_configs():
        if config.name in {"base", "accounts", "repos", "packages"}:
            for model in config.get_models():
                values = list(model._default_manager.order_by("pk").values())
                if model in {SignInFailures, LooseObject}:
                    continue  # counted, or noted for the sweeper, as they come: no change
                rows[model._meta.label] = [
                    {name: value for name, value in row.items() if name != "last_login"}
                    for row in values
                ]
    return rows


def test_every_route_is_known_to_change_something_or_nothing() -> None:
    unknown = [
        pattern
        for pattern in patterns()
        if pattern not in UPLOADS
        and not pattern.startswith(REST)
        and not changes_nothing(pattern)
        and (in_the_admin(pattern) or pattern) not in CHANGES
    ]
    assert unknown == [], "say in the tables above what these change, with its event"


def test_the_tables_name_no_route_that_is_not_there() -> None:
    known = patterns()
    beneath = beneath_the_doors()
    assert {*UPLOADS, *beneath, *NOTHING_ELSEWHERE, *NOTHING_FOR_PEOPLE} <= set(known)
    named = {in_the_admin(pattern) for pattern in known if pattern.startswith("admin/")}
    assert {*CHANGES, *NOTHING_IN_THE_ADMIN} <= named | set(known)


def test_every_action_of_the_admin_has_a_change(scene: Scene) -> None:
    tried = {
        "delete_selected", "revoke", "restore", "lift_quarantine", "let_go", "extract_now",
        "try_again", "yank", "unyank", "purge",
    }  # fmt: skip
    request = type("Request", (), {"user": scene.cast.superuser.user, "GET": {}})()
    for model, options in admin.site._registry.items():
        actions = set(options.get_actions(request)) - {"ask_for_keys"}  # it only asks
        assert actions <= tried
        if actions:
            name = f"{model._meta.label_lower.replace('.', '_')}_changelist"
            assert len(CHANGES[name]) == len(actions), name


every_change = pytest.mark.parametrize(
    "entry",
    [
        pytest.param(entry, id=f"{route}: {entry.name}")
        for route, entries in CHANGES.items()
        for entry in entries
    ],
)


@every_change
def test_a_change_leaves_one_event(scene: Scene, entry: Change) -> None:
    if entry.prepare is not None:
        entry.prepare(scene)
    AuditEvent.objects.all().delete()
    answer = entry.do(scene)
    assert answer.status_code in {200, 201, 204, 302}
    # One, and no more; a virtual that loses a local also says which names it claims from now on.
    event = AuditEvent.objects.exclude(action__in=["claims.inherit", entry.beside]).get()
    assert (event.action, event.actor) == (entry.action, entry.actor)
    assert event.action in ACTS, "base.wording has no words for it"
    assert event.address == "127.0.0.1"
    assert event.subject
    assert bool(event.before) == entry.has_before, event.before
    assert bool(event.after) == entry.has_after, event.after
    assert event.before != event.after
    written = f"{event.before} {event.after} {event.subject} {event.token}"
    assert not any(secret in written for secret in SECRETS)
    is_of_no_tenant = event.action in {"membership.decline", "login.revoke"} or (
        event.action.startswith("user.") and "/" not in event.subject
    )
    is_of_no_tenant |= event.action.startswith("issuer.")
    is_of_no_tenant |= event.action in {"publisher.token", "publisher.burn"}
    expected = "" if is_of_no_tenant else "initech" if event.subject == "initech" else "acme"
    assert event.tenant == expected


# What ends each use case that moves a stamp; these alter nobody's rights.
MOVE_NOTHING = {
    "extraction.now", "upstream.purge", "properties.change", "token.create",
    "membership.invite", "membership.withdraw", "membership.decline",
    "publisher.token", "publisher.burn", "publisher.add", "publisher.anew", "publisher.remove",
    "issuer.create", "issuer.change", "issuer.delete",
}  # fmt: skip
LAST_STEPS = (
    "accounts.members.move_access", "accounts.logins.move_access",
    "accounts.tokens.move_access", "repos.configure.move_access",
    "repos.configure.move_epoch", "packages.curate.contents_changed",
    "packages.cache.contents_changed", "packages.publish.contents_changed",
    "packages.curate.move_serial", "packages.curate.file_waits", "packages.deploy.file_waits",
    "packages.describe.file_waits",
)  # fmt: skip


@every_change
def test_a_change_and_its_event_stand_and_fall_together(
    scene: Scene, entry: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    if entry.prepare is not None:
        entry.prepare(scene)
    before = everything()
    with monkeypatch.context() as patched:
        patched.setattr("base.audit.insert", broken)
        with pytest.raises(RuntimeError, match="broken"):
            entry.do(scene)
    assert everything() == before, "there is a change without its event"
    if entry.action not in MOVE_NOTHING:
        with monkeypatch.context() as patched:
            for step in LAST_STEPS:
                patched.setattr(step, broken)
            with pytest.raises(RuntimeError, match="broken"):
                entry.do(scene)
        assert everything() == before, "there is an event, or half a change, after a failure"


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("broken")


@pytest.mark.parametrize("pattern", UPLOADS)
def test_an_upload_leaves_one_event_on_each_prefix(scene: Scene, pattern: str) -> None:
    AuditEvent.objects.all().delete()
    wheel, writer = make_wheel("frog", "1.0"), scene.cast.acme.writer
    path = path_for(pattern)
    answer = upload(Client(), "frog", "1.0", wheel, by=writer, to=path)
    assert answer.status_code == 200, answer.reason_phrase
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.token) == (
        "distribution.publish", "wes", str(writer.token),
    )  # fmt: skip
    assert event.after["sha256"] == Distribution.objects.get(filename=wheel[0]).sha256
    assert event.address == "127.0.0.1"
    again = upload(Client(), "frog", "1.0", wheel, by=writer, to=path)
    assert again.status_code == 200
    assert AuditEvent.objects.count() == 1, "the same bytes again change nothing"


def test_an_overwriting_upload_leaves_its_own_event(scene: Scene) -> None:
    shelf, writer = local(scene), scene.cast.acme.writer
    shelf.overwrite_allowed = True
    configure.change_repository(shelf, by=SYSTEM)
    first = make_wheel("frog", "1.0")
    for file in (first, make_wheel("frog", "1.0", description="another")):
        AuditEvent.objects.all().delete()
        assert upload(Client(), "frog", "1.0", file, by=writer).status_code == 200
    event = AuditEvent.objects.get()
    assert (event.action, event.actor) == ("distribution.overwrite", "wes")
    assert event.before["sha256"] == hashlib.sha256(first[1]).hexdigest()
    assert event.after["sha256"] == Distribution.objects.get(filename=first[0]).sha256


def test_an_upload_without_its_event_is_no_upload(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("base.audit.insert", broken)
    before = {name: rows for name, rows in everything().items() if "Loose" not in name}
    with pytest.raises(RuntimeError):
        upload(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=scene.cast.acme.writer)
    # Noted, so that the sweeper removes the bytes.
    assert before == {name: rows for name, rows in everything().items() if "Loose" not in name}


METHODS = ("post", "put", "patch", "delete")
# Where something else than a POST changes something, whatever is sent.
PUTS = {"artifactory/<key:key>/<path:path>": {"put"}}


def test_what_changes_nothing_leaves_no_event(scene: Scene) -> None:
    """Each route, as the superuser in a browser and as a writer with a token."""
    published(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=scene.cast.acme.writer)
    file, content = make_wheel("frog", "2.0")
    form = twine_fields("frog", "2.0", file, content)
    before, counted = everything(), counts()
    for pattern in patterns():
        if pattern.startswith(REST):
            continue
        path = path_for(pattern)
        for method in METHODS:
            if method in PUTS.get(pattern, {"post"}) and not changes_nothing(pattern):
                continue
            scene.root.force_login(scene.cast.superuser.user)
            sent = {"post": "yes", "username": "x", "password": "x", "name": "x"}
            getattr(scene.root, method)(path, sent)
            getattr(Client(), method)(path, sent, headers=scene.cast.acme.writer.headers)
            if method == "post":
                body = form_body(form, filename=file, content=content)
                post_form(Client(), body, to=path, by=scene.cast.acme.writer)
        assert counts() == counted, path
    assert note_less(everything()) == note_less(before)


def counts() -> dict[str, int]:
    """Return how many rows each of our tables has: what is looked at after each route."""
    models = [
        model
        for config in apps.get_app_configs()
        if config.name in {"base", "accounts", "repos", "packages"}
        for model in config.get_models()
        if model not in {SignInFailures, LooseObject}
    ]
    return {model._meta.label: model._default_manager.count() for model in models}


def note_less(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the rows without what is no change: when a token was last used."""
    return {
        label: [
            {name: value for name, value in row.items() if name != "last_used_at"} for row in found
        ]
        for label, found in rows.items()
    }


def test_a_form_saved_as_it_stands_is_no_event(scene: Scene) -> None:
    AuditEvent.objects.all().delete()
    models = {
        "accounts_tenant": Tenant, "accounts_membership": Membership, "accounts_team": Team,
        "accounts_token": Token, "repos_repository": Repository, "repos_grant": Grant,
        "packages_project": Project, "packages_release": Release,
        "packages_distribution": Distribution, "accounts_serviceaccount": ServiceAccount,
    }  # fmt: skip
    for name, model in models.items():
        rows = [scene.row(model)]
        if model is Repository:
            rows = [scene.row(model, kind=kind) for kind in Kind]
        for row in rows:
            assert fill_in(scene.root, change(name, row)).status_code == 302, name
    assert not AuditEvent.objects.exists()


def test_no_secret_is_in_any_event(scene: Scene) -> None:
    """Of all that furnishing a tenant has written: passwords, digests and a token's secret."""
    written = str(list(AuditEvent.objects.values()))
    stored = [user.password for user in User.objects.all() if user.has_usable_password()]
    digests = list(Token.objects.values_list("digest", flat=True))
    assert stored
    assert not any(secret in written for secret in [*stored, *digests, "acme-password"])
    assert not re.search(r"lrd_[0-9A-Za-z]{57}", written)
