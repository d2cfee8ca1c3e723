"""People's own properties: set, removed, bounded, audited, and never touched by extraction."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.principal import Principal
from base.models import AuditEvent
from packages.describe import PropertyRefused, remove_properties, set_properties
from packages.models import Distribution, Property
from repos.access import NotYours, RoleMissing
from tests.cast import Cast
from tests.packages.extraction.extracting import put


@pytest.fixture
def wes(cast: Cast) -> Principal:
    """A writer."""
    return cast.acme.writer.limited


@pytest.fixture
def frog(cast: Cast, wes: Principal) -> Distribution:
    """A published file."""
    return put(cast.acme.repository, wes)


def own(row: Distribution) -> list[tuple[str, str]]:
    people = row.properties.filter(origin=Property.Origin.PERSON)
    return sorted(people.values_list("name", "value"))


def test_many_values_are_set_replaced_and_removed_and_each_change_is_one_event(
    frog: Distribution, wes: Principal
) -> None:
    set_properties(frog, {"qa.approved": ["yes"], "qa.by": ["ann", "ben", "ann"]}, by=wes)
    assert own(frog) == [("qa.approved", "yes"), ("qa.by", "ann"), ("qa.by", "ben")]
    set_properties(frog, {"qa.by": ["cyd"]}, by=wes)
    assert own(frog) == [("qa.approved", "yes"), ("qa.by", "cyd")]
    set_properties(frog, {"qa.by": ["cyd"]}, by=wes)
    remove_properties(frog, ["qa.by"], by=wes)
    assert own(frog) == [("qa.approved", "yes")]
    events = AuditEvent.objects.filter(action="properties.change").order_by("pk")
    assert [(each.before, each.after) for each in events] == [
        ({"qa.approved": [], "qa.by": []}, {"qa.approved": ["yes"], "qa.by": ["ann", "ben"]}),
        ({"qa.by": ["ann", "ben"]}, {"qa.by": ["cyd"]}),
        ({"qa.by": ["cyd"]}, {"qa.by": []}),
    ]


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("", ["x"], "is no name of a property"),
        ("qa approved", ["x"], "is no name of a property"),
        ("1st", ["x"], "is no name of a property"),
        ("q" * 101, ["x"], "is no name of a property"),
        ("qa\n", ["x"], "is no name of a property"),
        ("qa", [], "has no value"),
        ("qa", [""], "empty or no plain text"),
        ("qa", [" "], "empty or no plain text"),
        ("qa", ["a\x00b"], "empty or no plain text"),
        ("qa", ["a\nb"], "empty or no plain text"),
        ("qa", ["x" * 1001], "too long"),
        ("qa", ["蛙" * 700], "too long"),
        ("qa", [str(number) for number in range(201)], "more than 200 values"),
        ("pypi.summary", ["x"], "cannot be set"),
        ("pypi.anything", ["x"], "cannot be set"),
        ("pypi.name", ["frog"], "has its name"),
        ("pypi.version", ["1.0", "2.0"], "has one value"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    frog: Distribution, wes: Principal, name: str, values: list[str], says: str
) -> None:
    with pytest.raises(PropertyRefused, match=says):
        set_properties(frog, {"qa.fine": ["yes"], name: values}, by=wes)
    assert own(frog) == []
    assert not AuditEvent.objects.filter(action="properties.change").exists()


def test_what_archives_and_clients_say_is_not_removed(frog: Distribution, wes: Principal) -> None:
    for name in ("pypi.name", "qa.none"):
        with pytest.raises(PropertyRefused, match="that people set"):
            remove_properties(frog, [name], by=wes)
    assert frog.properties.filter(name="pypi.name").exists()


def test_writers_set_them_and_nobody_else(frog: Distribution, cast: Cast) -> None:
    wanted = {"qa.approved": ["yes"]}
    with pytest.raises(RoleMissing):
        set_properties(frog, wanted, by=cast.acme.reader.limited)
    with pytest.raises(NotYours):
        set_properties(frog, wanted, by=cast.globex.writer.limited)
    cast.acme.writer.token.project_patterns = ["toad"]
    with pytest.raises(RoleMissing, match="may not change files of 'frog'"):
        set_properties(frog, wanted, by=cast.acme.writer.limited)
    assert own(frog) == []


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


def test_commands_set_and_remove_them(frog: Distribution) -> None:
    said = run("set_property", "acme/local", frog.filename, "qa.by=ann", "qa.by=ben", "url=a=b")
    assert said == f"Set qa.by, url of {frog.path}."
    assert own(frog) == [("qa.by", "ann"), ("qa.by", "ben"), ("url", "a=b")]
    run("remove_property", "acme/local", frog.path, "qa.by")
    assert own(frog) == [("url", "a=b")]
    assert {each.actor for each in AuditEvent.objects.filter(action="properties.change")} == {
        "larder"
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["set_property", "acme/none", "x", "a=b"], "There is no repository acme/none"),
        (["set_property", "acme/local", "x", "a=b"], "There is no file x in acme/local"),
        (["set_property", "acme/local", "frog-1.0-py3-none-any.whl", "a"], "is not name=value"),
        (["set_property", "acme/local", "frog-1.0-py3-none-any.whl", "pypi.x=1"], "cannot be set"),
        (["remove_property", "acme/local", "frog-1.0-py3-none-any.whl", "a"], "no property 'a'"),
    ],
)
def test_commands_say_what_is_wrong(frog: Distribution, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*arguments)
    assert own(frog) == []


def test_commands_ask_for_a_path_where_a_name_is_not_enough(
    frog: Distribution, cast: Cast, wes: Principal
) -> None:
    Distribution.objects.create(
        repository=cast.acme.repository,
        path=f"libs/{frog.filename}",
        filename=frog.filename,
        identity="/libs",
        size=1,
        sha256="0" * 64,
        blob=frog.blob,
        uploaded_at=frog.uploaded_at,
    )
    with pytest.raises(CommandError, match=f"give the path of one: {frog.path}, libs/"):
        run("set_property", "acme/local", frog.filename, "a=b")
    assert "libs/" in run("set_property", "acme/local", f"libs/{frog.filename}", "a=b")
