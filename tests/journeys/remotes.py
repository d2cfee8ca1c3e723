"""Remotes in a running Larder, made as an administrator makes them."""

from __future__ import annotations

import json
from typing import Any

from tests.journeys.larder import Larder, Repository

_MAKE = """
import json, sys
import django
django.setup()
from accounts.models import Tenant
from base.audit import SYSTEM
from repos import configure
from repos.models import Kind, Repository, Upstream
given = json.loads(sys.argv[1])
repository = Repository(
    tenant=Tenant.objects.get(slug="acme"), key=given.pop("key"), kind=Kind.REMOTE
)
configure.create_repository(repository, by=SYSTEM)
password = given.pop("password", None)
upstream = Upstream(repository=repository, private_allowed=True, **given)
configure.save_upstream(upstream, by=SYSTEM, password=password)
"""


def make_remote(larder: Larder, key: str, index_url: str, **settings: Any) -> Repository:
    """Make the remote acme/`key`, which all members of acme may read."""
    larder.python(_MAKE, json.dumps({"key": key, "index_url": index_url, **settings}))
    return Repository(f"{larder.url}/acme/{key}/")
