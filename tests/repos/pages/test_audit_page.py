"""The audit of a tenant: whose it is, what it says, how it is narrowed and taken away as CSV."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client

from base import clock
from base.audit import Actor, record
from base.models import AuditEvent
from repos import audit_csv
from tests.cast import Cast, assemble
from tests.conftest import MovableClock

AUDIT = "/acme/-/audit/"
ANN = Actor(name="ann", token="ci (abc)", address="192.0.2.7")


@pytest.fixture
def events(cast: Cast, time: MovableClock) -> None:
    """Some events of acme, a day apart, and one of globex."""
    AuditEvent.objects.all().delete()
    grant = {"subject": "user", "name": "bob", "role": "reader"}
    record(by=ANN, action="grant.create", subject="acme/local", tenant="acme", after=grant)
    time.move(hours=24)
    more = grant | {"role": "writer"}
    record(by=ANN, action="grant.change", subject="acme/local", tenant="acme", before=grant,
           after=more)  # fmt: skip
    time.move(hours=24)
    record(by=Actor("=cmd()"), action="team.delete", subject="acme/pond", tenant="acme",
           before={"name": "-1+1", "members": ["ann", "bob"]})  # fmt: skip
    record(by=ANN, action="team.create", subject="globex/secret", tenant="globex", after={"a": 1})


@pytest.fixture
def keeper(client: Client, cast: Cast, events: None) -> Client:
    """The browser of acme's admin."""
    client.force_login(cast.acme.admin.user)
    return client


def rows(client: Client, **asked: str) -> list[str]:
    answer = client.get(AUDIT, asked)
    assert answer.status_code == 200
    found = BeautifulSoup(answer.content, "html.parser").select("tbody tr")
    return [" ".join(row.get_text(" ").split()) for row in found]


def test_each_change_says_who_from_where_what_and_before_and_after(keeper: Client) -> None:
    latest, change, first = rows(keeper)
    assert "deleted the team acme/pond" in latest
    assert "members before: ann, bob" in latest
    for said in ("ann", "with ci (abc)", "from 192.0.2.7", "made bob writer of acme/local"):
        assert said in change
    assert "role before: reader after: writer" in change
    assert "made bob reader of acme/local" in first
    assert not any("secret" in row for row in (latest, change, first))


def test_it_is_narrowed_by_person_act_object_and_days(keeper: Client) -> None:
    assert len(rows(keeper, by="ann")) == 2
    assert len(rows(keeper, act="grant.change")) == 1
    assert len(rows(keeper, about="acme/po")) == 1
    assert rows(keeper, about="globex/") == []
    today = clock.now().date()
    assert len(rows(keeper, since=str(today))) == 1
    assert len(rows(keeper, until=str(today - timedelta(days=1)))) == 2
    assert len(rows(keeper, since=str(today - timedelta(days=1)), by="ann")) == 1


@pytest.mark.parametrize("asked", [{"since": "yesterday"}, {"act": "no.such"}, {"by": "a\x00"}])
def test_what_cannot_be_asked_is_said_beside_the_field(keeper: Client, asked: Any) -> None:
    answer = keeper.get(AUDIT, asked)
    assert answer.status_code == 400
    assert "field-error" in answer.content.decode()
    assert keeper.get(AUDIT, asked | {"format": "csv"}).status_code == 400


def test_pages_name_where_they_begin(
    keeper: Client, time: MovableClock, django_assert_max_num_queries: Any
) -> None:
    for number in range(120):  # of one moment, and more than two pages
        record(by=ANN, action="team.create", subject=f"acme/{number}", tenant="acme",
               after={"n": number})  # fmt: skip
    seen: list[str] = []
    url = AUDIT
    while url:
        with django_assert_max_num_queries(6):
            page = BeautifulSoup(keeper.get(url).content, "html.parser")
        seen += [row.get_text() for row in page.select("tbody tr")]
        link = page.select_one("a[rel=next]")
        url = f"{AUDIT}{link['href']}" if link else ""
    assert len(seen) == len(set(seen)) == 123
    for wrong in ("x", "1", "9" * 30 + "-1", "9" * 18 + "-1", "-"):
        assert keeper.get(AUDIT, {"after": wrong}).status_code == 200


def test_as_csv_no_cell_is_a_formula(keeper: Client) -> None:
    answer = keeper.get(AUDIT, {"format": "csv", "act": "team.delete"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    head, line = csv.reader(io.StringIO(text))
    assert head[:2] == ["at (UTC)", "by"]
    assert line[1] == "'=cmd()"
    assert line[5] == "deleted the team acme/pond"
    assert line[7].startswith("name: -1+1; members: ann, bob")


def test_a_csv_is_whole_and_sent_as_it_is_read(
    keeper: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(audit_csv, "_AT_ONCE", 10)
    numbers = [str(number) for number in range(25)]
    AuditEvent.objects.all().delete()
    for number in numbers:  # of one moment
        record(by=ANN, action="team.create", subject=number, tenant="acme", after={"n": 1})
    answer = keeper.get(AUDIT, {"format": "csv"})
    parts = iter(answer.streaming_content)  # type: ignore[attr-defined]
    for queries, lines in ((0, 1), (0, 10), (1, 10), (1, 5)):
        with django_assert_num_queries(queries):
            assert next(parts).count(b"\r\n") == lines
    assert next(parts, None) is None
    whole = b"".join(keeper.get(AUDIT, {"format": "csv"}).streaming_content)  # type: ignore[attr-defined]
    told = csv.DictReader(io.StringIO(whole.decode()))
    assert [line["about"] for line in told] == numbers[::-1]
    assert answer["Content-Disposition"] == 'attachment; filename="audit-acme.csv"'


@pytest.mark.django_db(transaction=True)
def test_a_csv_gives_its_connection_back_before_it_is_sent() -> None:
    cast = assemble()
    client = Client()
    client.force_login(cast.acme.admin.user)
    answer = client.get(AUDIT, {"format": "csv"})
    assert connection.connection is None
    assert b"at (UTC)" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_only_who_administers_the_tenant_reads_it(client: Client, cast: Cast) -> None:
    for person in (cast.acme.writer, cast.globex.admin):
        client.force_login(person.user)
        for url in (AUDIT, "/no-such/-/audit/"):
            answer = client.get(url)
            assert answer.status_code == 403
            assert "whose audit you may read" in answer.content.decode()
    client.force_login(cast.superuser.user)
    assert client.get(AUDIT).status_code == 200
