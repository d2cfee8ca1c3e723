"""Host names of tenants: given and refused alike by the command, the admin and REST."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Tenant
from tests.cast import Cast
from tests.portal.test_admin import add, fill_in
from tests.portal.test_rest import by_session

Door = Callable[[Cast, str], str]


def by_command(_: Cast, host_name: str) -> str:
    try:
        call_command("create_tenant", "initech", "--host-name", host_name, stdout=StringIO())
    except CommandError as refusal:
        return str(refusal)
    return ""


def by_rest(cast: Cast, host_name: str) -> str:
    body = {"slug": "initech", "host_name": host_name}
    answer = by_session(cast.superuser)("POST", "/tenants", body)
    return str(answer.json().get("detail", ""))


def by_admin(cast: Cast, host_name: str) -> str:
    client = Client()
    client.force_login(cast.superuser.user)
    answer = fill_in(client, add("accounts_tenant"), slug="initech", host_name=host_name)
    return str(answer.content.decode()) if answer.status_code == 200 else ""


@pytest.fixture(params=[by_command, by_rest, by_admin])
def make(request: pytest.FixtureRequest, cast: Cast) -> Callable[[str], str]:
    """Makes a tenant with a host name in each way, and returns what is said against it."""
    door: Door = request.param
    return lambda host_name: door(cast, host_name)


@pytest.mark.parametrize("typed", ["packages.initech.example", "Packages.Initech.Example", "pool"])
def test_a_tenant_is_made_with_its_host_name(make: Callable[[str], str], typed: str) -> None:
    assert not make(typed)
    assert Tenant.objects.get(slug="initech").host_name == typed.lower()


@pytest.mark.parametrize(
    "typed",
    ["https://initech.example", "initech.example:8443", "initech.example/x", "initech-.example",
     "initech..example", "ini tech", "initech.example."],
)  # fmt: skip
def test_what_is_no_host_name_is_refused(make: Callable[[str], str], typed: str) -> None:
    assert "Write it as packages.acme.example, without a scheme, a port or a path" in make(typed)
    assert not Tenant.objects.filter(slug="initech").exists()


def test_a_host_name_is_of_one_tenant(make: Callable[[str], str], cast: Cast) -> None:
    Tenant.objects.filter(pk=cast.acme.tenant.pk).update(host_name="packages.acme.example")
    assert "ost name already exists" in make("PACKAGES.acme.example")


def test_an_empty_one_is_none(make: Callable[[str], str]) -> None:
    assert not make("")
    assert Tenant.objects.get(slug="initech").host_name is None
