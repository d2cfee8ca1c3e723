"""A tenant whose every name is a canary: none of them may be seen from another tenant."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey, Model
from django.test import Client, RequestFactory

from accounts import members
from accounts.admin_base import UseCaseAdmin
from accounts.models import Invitation, Issuer, Membership, Team, Tenant, User
from accounts.roles import Role
from base.audit import SYSTEM
from repos import configure, publishers
from repos.models import (
    AlsoUpstream,
    Claim,
    Grant,
    Kind,
    Repository,
    TrustedPublisher,
    Upstream,
    VirtualSettings,
)
from tests.cast import House, Member, grant, make_member, make_repository
from tests.dists import make_wheel
from tests.uploads import upload

# Long enough not to turn up in a random token.
CANARY = "zqxwvk"


def furnish(house: House, client: Client, mark: str) -> None:
    """Give a house one of everything, each with `mark` in its name."""
    tenant, writer = house.tenant, house.writer
    service = members.service_account(tenant=tenant, name=f"{mark}-ci", by=SYSTEM)
    place = Membership.objects.get(user=service)
    members.invite(Invitation(tenant=tenant, username=f"{mark}-guest"), by=SYSTEM)
    team = Team(tenant=tenant, name=f"{mark}-team")
    members.save_team(team, by=SYSTEM, members=[place])
    configure.save_grant(
        Grant(repository=house.repository, subject=Grant.Subject.TEAM, team=team), by=SYSTEM
    )
    remote = make_repository(tenant, f"{mark}-remote", Kind.REMOTE)
    upstream = Upstream(repository=remote, index_url=f"https://{mark}.example.org/", username=mark)
    configure.save_upstream(upstream, by=SYSTEM, password=f"{mark}-password")
    virtual = make_repository(tenant, f"{mark}-virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [house.repository], by=SYSTEM)
    settings = VirtualSettings(repository=virtual, deployment=house.repository)
    configure.save_virtual(settings, by=SYSTEM)
    configure.mark_also_upstream(
        AlsoUpstream(virtual=virtual, normalized=f"{mark}-mark"), by=SYSTEM
    )
    configure.add_claim(Claim(repository=house.repository, pattern=f"{mark}-*"), by=SYSTEM)
    configure.create_token(
        membership=place, name=f"{mark}-token", by=SYSTEM, repositories=[house.repository]
    )
    publishers.add_publisher(
        TrustedPublisher(
            repository=house.repository,
            normalized=f"{mark}-project",
            issuer=_issuer(),
            source=f"{mark}/frog",
            workflow="release.yml",
        ),
        by=SYSTEM,
    )
    for version in ("1.0", "2.0"):
        name = f"{mark}-project"
        wheel = make_wheel(name, version)
        to = f"/{house.repository}/"
        sent = upload(client, name, version, wheel, by=writer, to=to, change={"summary": mark})
        assert sent.status_code == 200, sent.reason_phrase


def canary_house(client: Client) -> House:
    """Make the tenant."""
    tenant = Tenant(slug=f"{CANARY}-corp", name=CANARY.upper(), host_name=f"{CANARY}.example.org")
    members.save_tenant(tenant, by=SYSTEM)
    people: list[Member] = [
        make_member(f"{CANARY}-{name}", tenant, is_admin=name == "admin")
        for name in ("admin", "writer", "reader", "member")
    ]
    house = House(tenant, make_repository(tenant, f"{CANARY}-local"), *people)
    grant(house.repository, Role.WRITER, house.writer)
    furnish(house, client, CANARY)
    return house


def path_to_tenant(model: type[Model]) -> str | None:
    """Return how a row of `model` leads to its tenant, as the admin has it; None if it does not."""
    options = admin.site._registry.get(model)
    if isinstance(options, UseCaseAdmin):
        return options.tenant_path
    for _, inline in inlines():
        if inline.model is model:
            path: str | None = inline.tenant_path
            return path
    return None


def inlines() -> list[tuple[Any, Any]]:
    """Return each inline of the admin with its model admin, for every kind of row."""
    request = RequestFactory().get("/")
    request.user = User(username="root", is_superuser=True)
    found = []
    for options in admin.site._registry.values():
        rows: list[Any] = [None, options.model()]
        if options.model is Repository:
            rows = [Repository(kind=kind) for kind in Kind]
        for row in rows:
            found += [(options, inline) for inline in options.get_inline_instances(request, row)]
    return found


def rows_of(tenant: Tenant) -> dict[str, list[dict[str, Any]]]:
    """Return every row that belongs to `tenant`, to compare before and after."""
    models = [*admin.site._registry, *(inline.model for _, inline in inlines())]
    rows = {}
    for model in models:
        path = path_to_tenant(model)
        if path is not None:
            value = tenant.slug if path == "tenant" and model._meta.app_label == "base" else tenant
            found = model._default_manager.filter(**{path: getattr(value, "pk", value)})
            rows[model._meta.label] = list(found.order_by("pk").values())
    rows["people"] = list(User.objects.filter(memberships__tenant=tenant).order_by("pk").values())
    return rows


def mixed() -> list[str]:
    """Return the rows that lead to two tenants at once: there must never be one."""
    found = []
    models = [*admin.site._registry, *(inline.model for _, inline in inlines())]
    for model in models:
        own = path_to_tenant(model)
        if own is None or model._meta.app_label == "base":
            continue
        for field in model._meta.get_fields():
            theirs = path_to_tenant(field.related_model) if _leads_on(field) else None
            if theirs is None:
                continue
            path = field.name if theirs == "pk" else f"{field.name}__{theirs}"
            for pk, here, there in model._default_manager.values_list("pk", own, path):
                if there is not None and here != there:
                    found.append(f"{model._meta.label} {pk}: {field.name} of another tenant")
    return found


def _leads_on(field: Any) -> bool:
    is_forward = isinstance(field, ForeignKey) or (field.many_to_many and not field.auto_created)
    return bool(is_forward and field.related_model is not None)


def _issuer() -> Issuer:
    """Return the issuer of all houses: it is the installation's."""
    found = Issuer.objects.filter(url="https://ci-of-all.example").first()
    if found is None:
        found = Issuer(kind="github", url="https://ci-of-all.example")
        publishers.save_issuer(found, by=SYSTEM)
    return found


def first_of(model: type[Model], tenant: Tenant) -> Any:
    """Return the first row of `model` in `tenant`; any row where rows have no tenant."""
    path = path_to_tenant(model)
    rows = model._default_manager.order_by("pk")
    if path is None:
        return rows.first()
    if model._meta.app_label == "base":
        return rows.filter(tenant=tenant.slug).first()
    return rows.filter(**{path: tenant.pk}).first()
