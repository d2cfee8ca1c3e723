"""What a new installation begins with: an administrator, a tenant and three repositories.

Each piece is made only when it is missing, so starting again changes nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.db import transaction

from accounts import members
from accounts.models import Membership, Tenant, User
from base.audit import SYSTEM
from portal.config import Config
from portal.file_host import FileHost, file_host_of
from portal.pip_index import configured_index, split_credentials
from repos import configure
from repos.models import Kind, Repository, Upstream, VirtualSettings

ADMINISTRATOR = "admin"


@dataclass(frozen=True, slots=True, repr=False)
class FirstStart:
    """What was made. `password` is set only when it was generated, to be shown once."""

    is_new: bool
    password: str | None = None
    about_files: str = ""  # what was found out of where the remote's files come from


def first_start(config: Config) -> FirstStart:
    """Seed an empty installation; one that has a user already is left as it is."""
    if User.objects.exists():
        return FirstStart(is_new=False)
    # Asked before the transaction: pip takes a second or two, and its index may be slow.
    upstream = split_credentials(config.upstream_url) if config.upstream_url else configured_index()
    files = file_host_of(upstream) if upstream is not None else FileHost()
    generated = None if config.admin_password else secrets.token_urlsafe(12)
    with transaction.atomic():
        admin = User(username=ADMINISTRATOR, is_superuser=True)
        members.save_user(admin, by=SYSTEM, password=config.admin_password or generated)
        tenant = Tenant(slug=config.default_tenant, name=config.default_tenant.capitalize())
        members.save_tenant(tenant, by=SYSTEM)
        place = Membership(tenant=tenant, user=admin, kind=Membership.Kind.ADMIN)
        members.save_membership(place, by=SYSTEM)
        local = _repository(tenant, "pypi-local", Kind.LOCAL, "What we publish.")
        remote = _repository(tenant, "pypi-remote", Kind.REMOTE, "What others publish, kept here.")
        virtual = _repository(tenant, "pypi-virtual", Kind.VIRTUAL, "Both under one URL.")
        if upstream is not None:
            configure.save_upstream(
                Upstream(
                    repository=remote,
                    index_url=upstream.url,
                    files_url=files.url,
                    username=upstream.username,
                    private_allowed=True,
                    # A mirror of everybody's names, which are not ours to keep from other remotes.
                    names_are_kept=False,
                ),
                by=SYSTEM,
                password=upstream.password,
            )
        configure.set_members(virtual, [local, remote], by=SYSTEM)
        configure.save_virtual(VirtualSettings(repository=virtual, deployment=local), by=SYSTEM)
    return FirstStart(is_new=True, password=generated, about_files=files.says)


def _repository(tenant: Tenant, key: str, kind: Kind, description: str) -> Repository:
    repository = Repository(tenant=tenant, key=key, kind=kind, description=description)
    return configure.create_repository(repository, by=SYSTEM)
