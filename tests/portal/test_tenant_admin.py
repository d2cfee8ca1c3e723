"""Another tenant's admin at every URL of the admin: nothing of a tenant that is not theirs.

The walk is made from the URLconf and the registry, so a view or a model that comes later is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from http import HTTPStatus
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import transaction
from django.db.models import Model
from django.forms import ModelChoiceField
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.admin_base import UseCaseAdmin
from accounts.admin_scope import TenantRows
from accounts.models import Issuer, Membership, Team, Tenant, User
from base.models import AuditEvent
from portal.admin_site import LarderAdminSite
from repos.models import Kind, Repository
from tests.access.world import quick_and_stored_in
from tests.canary_tenant import (
    CANARY,
    canary_house,
    first_of,
    furnish,
    inlines,
    mixed,
    path_to_tenant,
    rows_of,
)
from tests.cast import House, assemble
from tests.forms import fields_of
from tests.properties import IS_ON_POSTGRES

REGISTRY = {
    model._meta.label_lower: model
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label)
}
NO_ID = 987_654_321
SITE_VIEWS = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete",
    "jsi18n", "app_list",
}  # fmt: skip
MODEL_VIEWS = {"changelist", "add", "history", "delete", "change"}


@dataclass
class Scene:
    """Ada, who administers acme, before a Larder that also holds the canaries' tenant."""

    ada: Client
    acme: House
    canaries: House

    def own(self, label: str) -> Any:
        """Return a row of ada's tenant."""
        return first_of(REGISTRY[label], self.acme.tenant)

    def foreign(self, label: str) -> Any:
        """Return a row of the canaries."""
        return first_of(REGISTRY[label], self.canaries.tenant)


@pytest.fixture(scope="module")
def houses(
    django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, House, House]]:
    """Both tenants, furnished, in a transaction that is rolled back after the module."""
    folder = tmp_path_factory.mktemp("houses")
    with django_db_blocker.unblock(), transaction.atomic(), quick_and_stored_in(folder):
        acme = assemble().acme
        furnish(acme, Client(), "acme")
        yield folder, acme, canary_house(Client())
        transaction.set_rollback(True)


@pytest.fixture
def scene(
    houses: tuple[Path, House, House], db: None, own_storage: None, client: Client
) -> Iterator[Scene]:
    """Both tenants, as they were made; what a test changes is undone with `db`'s transaction."""
    folder, acme, canaries = deepcopy(houses)
    with quick_and_stored_in(folder):
        client.force_login(acme.admin.user)
        yield Scene(ada=client, acme=acme, canaries=canaries)


models = pytest.mark.parametrize("label", list(REGISTRY))


def name_of(label: str) -> str:
    return f"admin:{label.replace('.', '_')}"


def said(answer: Any) -> str:
    """Return all that an answer says, in head and body."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    text = f"{answer.status_code}\n{head}\n{answer.cookies.output()}\n{answer.content.decode()}"
    # A random number, which error pages name.
    return text.replace(answer.headers["X-Request-Id"], "").lower()


def whole(client: Client, answer: Any) -> str:
    """Return an answer, and where it leads, without what is random in it."""
    text = said(answer)
    if answer.status_code == HTTPStatus.FOUND:
        text += said(client.get(answer.headers["Location"]))
    text = re.sub(r'name="(csrfmiddlewaretoken|form_key)" value="[^"]+"', "", text)
    return re.sub(r"(?m)^(set-cookie|content-length|expires): .*$", "", text)


def alike(there: str, nowhere: str, *, sent: object, instead_of: object = NO_ID) -> bool:
    """Say whether two answers differ in nothing but the value that was sent."""
    return there == nowhere.replace(str(instead_of).lower(), str(sent).lower())


def admin_patterns() -> Iterator[tuple[str, str]]:
    """Yield name and pattern of every URL under /admin/."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, str]]:
        for each in patterns:
            text = prefix + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns, text)
            else:
                yield each.name or "", text

    under = [each for each in get_resolver().url_patterns if str(each.pattern) == "admin/"]
    yield from walk(under, "")


def test_the_walk_knows_every_url_of_the_admin() -> None:
    walked = SITE_VIEWS | {
        f"{label.replace('.', '_')}_{view}" for label in REGISTRY for view in MODEL_VIEWS
    }
    found = [(name, pattern) for name, pattern in admin_patterns() if name not in walked]
    # What is left: the old form of change URLs, one for each model, and the last resort.
    nameless = [pattern for name, pattern in found if not name]
    assert found == [("", pattern) for pattern in nameless]
    assert sorted(nameless) == sorted(
        ["admin/(?P<url>.*)$"]
        + [f"admin/{label.replace('.', '/')}/<path:object_id>/" for label in REGISTRY]
    )


# What the walk stands on


def test_a_model_admin_that_forgets_its_tenant_is_not_taken() -> None:
    site = LarderAdminSite(name="other")

    class Forgetful(UseCaseAdmin[Team]):
        pass

    with pytest.raises(ImproperlyConfigured, match="tenant_path"):
        site.register(Team, Forgetful)
    with pytest.raises(ImproperlyConfigured, match="UseCaseAdmin"):
        site.register(Team, ModelAdmin)
    with pytest.raises(ImproperlyConfigured, match="UseCaseAdmin"):
        site.register(Team)


def test_every_inline_names_its_tenant() -> None:
    for options, inline in inlines():
        assert isinstance(inline, TenantRows), f"{inline} of {options}"
        assert inline.tenant_path is not None


def test_no_list_is_a_form() -> None:
    """Rows are changed in their own forms; a list that takes values would need its own walk."""
    assert not any(options.list_editable for options in admin.site._registry.values())


def test_a_plain_inline_is_not_shown_to_tenant_admins(scene: Scene) -> None:
    class Plain(admin.TabularInline[Any, Any]):
        model = User

    request = RequestFactory().get("/")
    request.user = scene.acme.admin.user
    plain = Plain(User, admin.site)
    assert not plain.has_view_or_change_permission(request)
    assert not plain.has_add_permission(request, None)


@models
def test_rows_are_those_of_the_tenant_alone(scene: Scene, label: str) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="ada")
    model = REGISTRY[label]
    shown = set(admin.site._registry[model].get_queryset(request).values_list("pk", flat=True))
    mine = {row["id"] for row in rows_of(scene.acme.tenant).get(model._meta.label, [])}
    if model is Repository:
        assert mine
    assert shown == mine
    if path_to_tenant(model) is None:
        assert not shown


# Lists


@models
def test_a_list_and_its_filters_name_nothing_foreign(scene: Scene, label: str) -> None:
    url = reverse(f"{name_of(label)}_changelist")
    queries = ["", "q=zq", "all=", "_facets=True", "_popup=1", "_to_field=id", "e=1", "p=1"]
    queries += [f"o={number}" for number in range(1, 10)]
    for query in queries:
        answer = scene.ada.get(f"{url}?{query}")
        assert answer.status_code in {200, 302, 400, 403}, query
        assert CANARY not in said(answer), query
        if answer.status_code == HTTPStatus.OK:
            own = rows_of(scene.acme.tenant)[REGISTRY[label]._meta.label]
            assert answer.context["cl"].result_count == len(own) or query.startswith("q="), query
    for name in canary_names(scene):
        there, nowhere = (
            whole(scene.ada, scene.ada.get(f"{url}?q={quote(text)}"))
            for text in (name, name.replace(CANARY, "qqq"))
        )
        assert alike(there, nowhere, sent=CANARY, instead_of="qqq"), name


def canary_names(scene: Scene) -> list[str]:
    return [
        scene.canaries.tenant.slug,
        scene.canaries.writer.user.username,
        str(scene.canaries.repository),
        f"{CANARY}-project",
    ]


@models
def test_a_filter_tells_nothing_about_foreign_rows(scene: Scene, label: str) -> None:
    """A lookup by what another tenant has, and by what nobody has, is answered alike."""
    url = reverse(f"{name_of(label)}_changelist")
    asked = 0
    for path in lookups(REGISTRY[label], depth=2 if IS_ON_POSTGRES else 3):
        every = ("__startswith", "__exact", "__in", "__isnull", "__regex", "")
        for lookup in every if "__" not in path and not IS_ON_POSTGRES else every[:1]:
            asked += 1
            there = scene.ada.get(f"{url}?{path}{lookup}={CANARY}")
            nowhere = scene.ada.get(f"{url}?{path}{lookup}=qqq")
            assert there.status_code in {200, 302, 400, 403}, path
            answers = whole(scene.ada, there), whole(scene.ada, nowhere)
            assert alike(*answers, sent=CANARY, instead_of="qqq"), path
    assert asked


@models
def test_a_filter_by_a_foreign_id_is_as_by_none(scene: Scene, label: str) -> None:
    url = reverse(f"{name_of(label)}_changelist")
    for path, model in relations(REGISTRY[label], depth=2):
        theirs = first_of(model, scene.canaries.tenant)
        if theirs is not None:
            for lookup in ("__id__exact", ""):
                there = scene.ada.get(f"{url}?{path}{lookup}={theirs.pk}")
                nowhere = scene.ada.get(f"{url}?{path}{lookup}={NO_ID}")
                answers = whole(scene.ada, there), whole(scene.ada, nowhere)
                assert alike(*answers, sent=theirs.pk), path


def lookups(model: type[Model], depth: int) -> Iterator[str]:
    """Yield the paths of text columns that can be reached from `model`."""
    for field in model._meta.get_fields():
        if field.is_relation and field.related_model and depth > 1:
            name = field.name
            for rest in lookups(field.related_model, depth - 1):
                yield f"{name}__{rest}"
        elif getattr(field, "get_internal_type", lambda: "")() in {"CharField", "TextField"}:
            yield field.name


def relations(model: type[Model], depth: int) -> Iterator[tuple[str, type[Model]]]:
    """Yield the paths of relations that can be reached from `model`, with what they lead to."""
    for field in model._meta.get_fields():
        if field.is_relation and isinstance(field.related_model, type):
            yield field.name, field.related_model
            if depth > 1:
                for rest, end in relations(field.related_model, depth - 1):
                    yield f"{field.name}__{rest}", end


def test_autocomplete_offers_nothing_foreign(scene: Scene) -> None:
    url = reverse("admin:autocomplete")
    answered = 0
    for model in apps.get_models():
        for field in model._meta.get_fields():
            asked = {
                "app_label": model._meta.app_label,
                "model_name": str(model._meta.model_name),
                "field_name": field.name,
            }
            answer = scene.ada.get(url, asked)
            assert answer.status_code in {200, 403, 404}, field
            assert CANARY not in said(answer)
            if answer.status_code == HTTPStatus.OK:
                answered += 1
                there = scene.ada.get(url, asked | {"term": CANARY})
                assert there.json()["results"] == []
    assert answered


# One row


@models
def test_a_foreign_row_is_as_one_that_is_not_there(scene: Scene, label: str) -> None:
    before = rows_of(scene.canaries.tenant)
    foreign = scene.foreign(label)
    methods = ("get", "post") if IS_ON_POSTGRES else ("get", "post", "put", "delete", "head")
    ways = [*product(methods, [""])]
    ways += [("get", query) for query in ("?_to_field=id", "?_popup=1", "?_changelist_filters=q")]
    for view, (method, query) in product(("change/", "delete/", "history/", ""), ways):
        there, nowhere = (
            whole(scene.ada, getattr(scene.ada, method)(path_of(label, pk, view) + query, SENT))
            for pk in (foreign.pk, NO_ID)
        )
        assert CANARY not in there
        assert alike(there, nowhere, sent=foreign.pk), (view, method, query)
    assert rows_of(scene.canaries.tenant) == before


SENT = {"post": "yes"}


def path_of(label: str, pk: int, view: str) -> str:
    return reverse(f"{name_of(label)}_change", args=[pk]).replace("change/", view)


@models
def test_a_row_of_ones_own_names_nothing_foreign(scene: Scene, label: str) -> None:
    row = scene.own(label)
    for view in ("change", "delete", "history"):
        url = reverse(f"{name_of(label)}_{view}", args=[row.pk])
        answer = scene.ada.get(url)
        assert answer.status_code in {200, 302, 403}
        assert CANARY not in whole(scene.ada, answer)


def test_every_kind_of_repository_names_nothing_foreign(scene: Scene) -> None:
    for row in Repository.objects.filter(tenant=scene.acme.tenant):
        page = scene.ada.get(reverse("admin:repos_repository_change", args=[row.pk]))
        assert page.status_code == 200
        assert CANARY not in said(page)


@models
def test_adding_offers_nothing_foreign(scene: Scene, label: str) -> None:
    url = reverse(f"{name_of(label)}_add")
    theirs = scene.canaries
    for query in (
        "",
        f"?tenant={theirs.tenant.pk}&service_of={theirs.tenant.pk}&_popup=1&_to_field=id",
        f"?repository={theirs.repository.pk}&membership={theirs.writer.token.membership.pk}",
        f"?user={theirs.writer.user.pk}&members={theirs.writer.token.membership.pk}",
    ):
        answer = scene.ada.get(url + query)
        assert answer.status_code in {200, 403}
        assert CANARY not in said(answer)


# Sending foreign ids


def sendable(label: str, scene: Scene) -> dict[str, Any]:
    """Return what makes each add form complete."""
    acme = scene.acme
    mine: dict[str, dict[str, Any]] = {
        "accounts.invitation": {"username": "sam"},
        "accounts.serviceaccount": {"name": "robot"},
        "accounts.team": {"name": "crew", "members": [acme.writer.token.membership.pk]},
        "accounts.token": {"membership": acme.admin.token.membership.pk, "name": "new"},
        "repos.repository": {"key": "new", "kind": "local"},
        "repos.grant": {"repository": acme.repository.pk, "subject": "members", "role": 1},
        "repos.trustedpublisher": {
            "repository": acme.repository.pk,
            "normalized": "frog",
            "issuer": Issuer.objects.get().pk,
            "source": "octo/frog",
            "workflow": "release.yml",
        },
    }
    return mine[label]


@pytest.mark.parametrize(
    "label",
    [
        "accounts.invitation", "accounts.serviceaccount", "accounts.team", "accounts.token",
        "repos.grant", "repos.repository", "repos.trustedpublisher",
    ],
)  # fmt: skip
def test_adding_takes_no_foreign_row(scene: Scene, label: str) -> None:
    url = reverse(f"{name_of(label)}_add")
    before = rows_of(scene.canaries.tenant)
    page = scene.ada.get(url)
    complete = fields_of(page.content.decode()) | sendable(label, scene)
    tried = 0
    for name, theirs in foreign_values(scene, label, page).items():
        answers = []
        for value in (theirs, NO_ID):
            counts = {model: model._default_manager.count() for model in REGISTRY.values()}
            answer = scene.ada.post(url, complete | {name: [value]})
            text = whole(scene.ada, answer)
            if name in complete:
                tried += 1
                assert answer.status_code == 200, f"{name} was taken"
                assert counts == {model: model._default_manager.count() for model in counts}
            answers.append(text)
            assert CANARY not in text
        if name in complete:
            assert alike(*answers, sent=theirs), name
    assert tried
    assert not mixed()
    assert rows_of(scene.canaries.tenant) == before


def test_every_model_that_is_added_is_tried() -> None:
    request = RequestFactory().get("/")
    request.user = User(username="x")
    place = Membership(tenant=Tenant(pk=1, slug="acme"), kind=Membership.Kind.ADMIN)
    request.user.__dict__["places"] = {"acme": place}
    added = {
        model._meta.label_lower
        for model, options in admin.site._registry.items()
        if options.has_add_permission(request)
    }
    marks = test_adding_takes_no_foreign_row.pytestmark  # type: ignore[attr-defined]
    assert added == set(marks[0].args[1])


@models
def test_changing_takes_no_foreign_row(scene: Scene, label: str) -> None:
    before = rows_of(scene.canaries.tenant)
    for row in rows_to_change(scene, label):
        url = reverse(f"{name_of(label)}_change", args=[row.pk])
        page = scene.ada.get(url)
        if page.status_code != 200 or "<form" not in page.content.decode():
            assert path_to_tenant(REGISTRY[label]) is None
            continue
        try:
            fields = fields_of(page.content.decode())
        except AssertionError:  # nothing can be changed: the audit
            fields = {}
        choices = choices_of(page.context["adminform"].form)
        foreign = foreign_values(scene, label, page)
        for name, theirs in [*foreign.items(), *inline_values(scene, page)]:
            answers = []
            for value in (theirs, NO_ID):
                answer = scene.ada.post(url, fields | {name: [value]})
                assert answer.status_code in {200, 302, 403}
                answers.append(whole(scene.ada, answer))
                assert CANARY not in answers[-1]
            if name in choices:
                assert alike(*answers, sent=theirs), name
            assert not mixed(), name
    assert rows_of(scene.canaries.tenant) == before


def rows_to_change(scene: Scene, label: str) -> list[Any]:
    if label == "repos.repository":
        return [
            Repository.objects.filter(tenant=scene.acme.tenant, kind=kind).first() for kind in Kind
        ]
    return [scene.own(label)]


def foreign_values(scene: Scene, label: str, page: Any) -> dict[str, int]:
    """Return each field that leads to rows with a tenant, in the form or not, with a foreign id."""
    model = REGISTRY[label]
    leading: dict[str, Any] = {
        field.name: field.related_model
        for field in [*model._meta.fields, *model._meta.many_to_many]
        if isinstance(field.related_model, type) and path_to_tenant(field.related_model)
    }
    leading |= choices_of(page.context["adminform"].form)
    return {
        name: first_of(end, scene.canaries.tenant).pk
        for name, end in leading.items()
        if end is not Issuer  # the installation's: no row of it is foreign
    }


def choices_of(form: Any) -> dict[str, type[Model]]:
    """Return the fields of a form that choose among rows, with the model of the rows."""
    return {
        name: field.queryset.model
        for name, field in form.fields.items()
        if isinstance(field, ModelChoiceField) and field.queryset is not None
    }


def inline_values(scene: Scene, page: Any) -> Iterator[tuple[str, int]]:
    """Yield each choice and each id in the formsets of a page, with a foreign row's id."""
    for shown in page.context["inline_admin_formsets"]:
        formset = shown.formset
        for form in formset.forms:
            for name, model in choices_of(form).items():
                yield form.add_prefix(name), first_of(model, scene.canaries.tenant).pk
            parent = first_of(type(formset.instance), scene.canaries.tenant)
            yield form.add_prefix(formset.fk.name), parent.pk


@models
def test_an_action_does_nothing_to_foreign_rows(scene: Scene, label: str) -> None:
    url = reverse(f"{name_of(label)}_changelist")
    before = rows_of(scene.canaries.tenant)
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="root")
    actions = list(admin.site._registry[REGISTRY[label]].get_actions(request)) or [
        "delete_selected"
    ]
    for action in actions:
        foreign = scene.foreign(label).pk
        for confirmed in ({}, SENT):
            sent = {"action": action, "index": 0} | confirmed
            there, nowhere = (
                whole(scene.ada, scene.ada.post(url, sent | {"_selected_action": [pk]}))
                for pk in (foreign, NO_ID)
            )
            assert CANARY not in there
            assert alike(there, nowhere, sent=foreign), action
        # "Select all" takes what the list shows, and no more.
        scene.ada.post(
            url, {"action": action, "select_across": 1, "_selected_action": [1], "index": 0}
        )
        scene.ada.get(url)  # which tells what was done to ada's own rows
    assert rows_of(scene.canaries.tenant) == before


# The site's own views


def test_the_index_shows_what_is_ones_own(scene: Scene) -> None:
    page = scene.ada.get("/admin/")
    text = page.content.decode()
    assert "Administration of acme" in text
    assert CANARY not in said(page)
    assert "/admin/accounts/user/" not in text
    assert "/admin/repos/repository/" in text
    for label in {label.partition(".")[0] for label in REGISTRY}:
        assert CANARY not in said(scene.ada.get(f"/admin/{label}/"))


def test_people_are_not_shown_beyond_their_membership(scene: Scene) -> None:
    wes = scene.acme.writer.user
    for url in (
        reverse("admin:accounts_user_changelist"),
        reverse("admin:accounts_user_add"),
    ):
        assert scene.ada.get(url).status_code == 403
    for view in ("change", "delete"):
        url = reverse(f"admin:accounts_user_{view}", args=[wes.pk])
        assert scene.ada.post(url, {"is_superuser": "on"}).status_code in {302, 403}
    assert not User.objects.filter(is_superuser=True, username__in=["wes", "ada"]).exists()


def test_no_view_finds_a_row_by_table_and_id(scene: Scene) -> None:
    assert scene.ada.get("/admin/r/1/1/").status_code == 404
    assert scene.ada.get("/admin/nothing/here/").status_code == 404


WRONG = (
    "kind__exact=%00", "action=%00", "q=%00", "q=a%00b", "%00=1", "at__year=9999", "at__year=x",
    "at__year=99999999999999999999", "o=%00", "p=99999999999999999999", "nothing=1", "id__exact=1",
    "role__exact=99999999999999999999", "tenant__id__exact=x", "q=" + "+".join("a" * 1500),
)  # fmt: skip


@models
def test_a_filter_that_cannot_be_is_no_error_of_ours(scene: Scene, label: str) -> None:
    for who, query in product(("ada", "root"), WRONG):
        scene.ada.force_login(User.objects.get(username=who))
        answer = scene.ada.get(f"{reverse(f'{name_of(label)}_changelist')}?{query}")
        assert answer.status_code in {200, 302, 400, 403}, query


@pytest.mark.parametrize("chosen", ["\x00", "x", "1" * 40, "-1", "1.5", ""])
def test_a_choice_that_is_no_row_is_no_error_of_ours(scene: Scene, chosen: str) -> None:
    url = reverse("admin:accounts_token_changelist")
    sent = {"action": "revoke", "_selected_action": [chosen], "index": 0}
    assert scene.ada.post(url, sent).status_code == 400
    assert scene.ada.get(reverse("admin:autocomplete") + "?term=%00").status_code == 400


def test_the_tenants_own_audit_is_read_and_not_changed(scene: Scene) -> None:
    url = reverse("admin:base_auditevent_changelist")
    page = scene.ada.get(url)
    own = AuditEvent.objects.filter(tenant="acme")
    assert page.context["cl"].result_count == own.count() > 0
    event = own[0]
    shown = scene.ada.get(reverse("admin:base_auditevent_change", args=[event.pk]))
    assert event.subject in shown.content.decode()
    change = reverse("admin:base_auditevent_change", args=[event.pk])
    assert scene.ada.post(change, {"actor": "nobody"}).status_code == 403
    delete = reverse("admin:base_auditevent_delete", args=[event.pk])
    assert scene.ada.post(delete, {"post": "yes"}).status_code == 403


def test_no_field_is_unknown_to_the_walk() -> None:
    """The walk finds columns by their types; the paths of the admins must be real."""
    for model in REGISTRY.values():
        path = path_to_tenant(model)
        if path and path != "pk":
            try:
                model._meta.get_field(path.partition("__")[0])
            except FieldDoesNotExist:
                pytest.fail(f"{model} has no {path}")
