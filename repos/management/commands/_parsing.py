"""What the commands about repositories share: finding what their arguments name."""

from __future__ import annotations

from django.core.management.base import CommandError

from accounts.models import Membership, Team, Tenant
from accounts.roles import Role
from repos.models import Repository

ROLES = {role.label: role for role in Role}


def tenant_named(slug: str) -> Tenant:
    """Return the tenant, or say which there are."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        known = ", ".join(Tenant.objects.values_list("slug", flat=True))
        raise CommandError(f"There is no tenant {slug}. There are: {known}.")
    return tenant


def split_name(name: str) -> tuple[str, str]:
    """Return tenant and key of `tenant/key`."""
    tenant, slash, key = name.partition("/")
    if not slash or not tenant or not key:
        raise CommandError(f"'{name}' is not tenant/key, for example main/team-a.")
    return tenant, key


def repository_named(name: str) -> Repository:
    """Return the repository `tenant/key`."""
    tenant, key = split_name(name)
    found = Repository.objects.select_related("tenant").filter(
        tenant__slug=tenant, key=key, deleted_at__isnull=True
    )
    if (repository := found.first()) is None:
        raise CommandError(f"There is no repository {name}.")
    return repository


def member_named(username: str, tenant: Tenant) -> Membership:
    """Return the membership of `username` in `tenant`."""
    found = Membership.objects.select_related("user", "tenant").filter(
        user__username=username, tenant=tenant
    )
    if (membership := found.first()) is None:
        raise CommandError(f"{username} is not a member of {tenant}.")
    return membership


def team_named(name: str, tenant: Tenant) -> Team:
    """Return the team `name` of `tenant`."""
    if (team := Team.objects.filter(name=name, tenant=tenant).first()) is None:
        raise CommandError(f"{tenant} has no team {name}.")
    return team
