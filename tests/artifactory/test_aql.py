"""AQL: what is read, what is found, and what is refused with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Role
from artifactory.aql import All, AqlRefused, Condition, Either, parse
from base.audit import SYSTEM
from packages.models import Distribution
from repos import configure
from repos.models import Kind
from tests.artifactory.conftest import lay
from tests.cast import Cast, grant, make_repository
from tests.dists import make_wheel
from tests.uploads import published


@pytest.fixture
def shelf(cast: Cast) -> None:
    """Frogs of two versions and a toad in acme's local."""
    shelf = cast.acme.repository
    lay(shelf, "frog", "1.0", {"qa": ["yes", "no"], "team": ["red"]})
    lay(shelf, "frog", "1.10", {"qa": ["yes"]})
    lay(shelf, "toad", "1.0.0", {"team": ["blue"]})


def named(found: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{each['repo']}:{each['path']}" for each in found)


FROG_1, FROG_110, TOAD = "local:frog/1.0", "local:frog/1.10", "local:toad/1.0.0"
ALL = [FROG_1, FROG_110, TOAD]


QUERIES: list[tuple[Any, list[str]]] = [
    ({}, ALL),
    ({"repo": "local"}, ALL),
    ({"repo": {"$eq": "other"}}, []),
    ({"repo": {"$match": "lo*"}}, ALL),
    ({"repo": {"$ne": "local"}}, []),
    ({"@team": "red"}, [FROG_1]),
    ({"@qa": "yes"}, [FROG_1, FROG_110]),
    ({"@qa": {"$eq": "yes"}, "@team": "red"}, [FROG_1]),
    ({"@qa": {"$ne": "no"}}, [FROG_110, TOAD]),
    ({"@team": {"$match": "*"}}, [FROG_1, TOAD]),
    ({"@team": {"$match": "?ed"}}, [FROG_1]),
    ({"@team": "*"}, []),  # in $eq it stands for itself
    ({"@pypi.version": "1.0"}, [FROG_1]),  # and a version is the text that it is
    ({"path": "frog/1.0"}, [FROG_1]),
    ({"path": "frog"}, []),
    ({"path": {"$match": "frog/*"}}, [FROG_1, FROG_110]),
    ({"path": {"$match": "*/1.1?"}}, [FROG_110]),
    ({"path": {"$ne": "frog/1.0"}}, [FROG_110, TOAD]),
    ({"path": "."}, []),
    ({"name": {"$match": "toad*"}}, [TOAD]),
    ({"name": {"$match": "%"}}, []),
    ({"type": "file"}, ALL),
    ({"type": "any"}, ALL),
    ({"type": "folder"}, []),
    ({"created_by": "nobody"}, []),
    ({"size": {"$ne": 0}}, ALL),
    ({"$or": [{"@team": "red"}, {"@team": "blue"}]}, [FROG_1, TOAD]),
    ({"$and": [{"@qa": "yes"}, {"@qa": "no"}]}, [FROG_1]),
    ({"$or": [{"@team": "blue", "repo": "other"}, {"@qa": "no"}]}, [FROG_1]),
    (
        {"$or": [{"$and": [{"path": {"$match": "f*"}}, {"@qa": "no"}]}, {"@team": "blue"}]},
        [FROG_1, TOAD],
    ),
]


def test_a_query_finds_what_it_says(scripts, shelf: None) -> None:
    for criteria, finds in QUERIES:
        found = named(scripts.reader.aql(f"items.find({json.dumps(criteria)})"))
        assert found == finds, criteria


def test_the_same_field_may_come_twice(scripts, shelf: None) -> None:
    found = scripts.reader.aql('items.find({"@qa": "yes", "@qa": "no"})')
    assert named(found) == [FROG_1]
    assert named(scripts.reader.aql('items.find({"@qa":"yes"},{"@team":"red"})')) == [FROG_1]


def test_items_are_told_as_clients_read_them(scripts, cast: Cast) -> None:
    wheel = make_wheel("frog", "1.0")
    published(Client(), "frog", "1.0", wheel, by=cast.acme.writer)
    row = Distribution.objects.get()
    at = row.uploaded_at.isoformat(timespec="milliseconds")
    answer = scripts.reader("POST", "api/search/aql", 'items.find({"repo":"local"}).limit(10)')
    usual = {
        "repo": "local",
        "path": "frog/1.0",
        "name": wheel[0],
        "type": "file",
        "size": len(wheel[1]),
        "created": at,
        "created_by": "wes",
        "modified": at,
        "modified_by": "wes",
        "updated": at,
    }
    assert answer.json() == {
        "results": [usual],
        "range": {"start_pos": 0, "end_pos": 1, "total": 1, "limit": 10},
    }
    (some,) = scripts.reader.aql('items.find({}).include("size", "@pypi.name")')
    assert some == {
        **{name: usual[name] for name in ("repo", "path", "name", "size")},
        "properties": [{"key": "pypi.name", "value": "frog"}],
    }
    (everything,) = scripts.reader.aql('items.find({}).include("*", "property.*")')
    assert everything["sha256"] == row.sha256
    assert {"key": "pypi.version", "value": "1.0"} in everything["properties"]
    for name in ("sha256", "actual_sha1", "actual_md5"):
        found = scripts.reader.aql(f'items.find({{"{name}": "{everything[name]}"}})')
        assert len(found) == 1
    assert (
        len(scripts.reader.aql(f'items.find({{"created": "{row.uploaded_at.isoformat()}"}})')) == 1
    )
    assert len(scripts.reader.aql(f'items.find({{"size": {len(wheel[1])}}})')) == 1


def test_who_uploaded_is_told_to_who_has_signed_in(scripts, cast: Cast) -> None:
    published(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    assert scripts.reader.aql('items.find({"created_by": "wes"})')
    grant(cast.acme.repository, Role.READER)
    (found,) = scripts.nobody.aql("items.find({})")
    assert (found["created_by"], found["modified_by"]) == ("", "")
    for query in ('{"created_by": "wes"}', '{"$or": [{"modified_by": {"$ne": "wes"}}]}'):
        refused = scripts.nobody.refused("POST", "api/search/aql", 400, f"items.find({query})")
        assert refused == "Who uploaded a file is told to who has signed in alone."


def test_results_come_in_order_and_in_parts(scripts, shelf: None) -> None:
    query = (
        'items.find({"repo":"local"}).include("name").sort({"$%s":["path"]}).offset(%d).limit(2)'
    )
    assert [each["path"] for each in scripts.reader.aql(query % ("asc", 0))] == [
        "frog/1.0",
        "frog/1.10",
    ]
    assert [each["path"] for each in scripts.reader.aql(query % ("asc", 2))] == ["toad/1.0.0"]
    assert [each["path"] for each in scripts.reader.aql(query % ("desc", 0))] == [
        "toad/1.0.0",
        "frog/1.10",
    ]


def test_a_part_is_never_taken_for_the_whole(scripts, shelf: None, monkeypatch) -> None:
    monkeypatch.setattr("artifactory.aql.RESULTS_AT_MOST", 2)
    said = scripts.reader.refused("POST", "api/search/aql", 400, "items.find({})")
    assert said.startswith("More than 2 items meet this")
    assert len(scripts.reader.aql("items.find({}).limit(2)")) == 2
    monkeypatch.setattr("artifactory.property_search._FOUND_AT_MOST", 1)
    scripts.reader.refused("GET", "api/search/prop?pypi.name=frog", 400)


def test_nobody_finds_what_they_may_not_read(scripts, cast: Cast, shelf: None) -> None:
    lay(make_repository(cast.acme.tenant, "hidden"), "newt", "1.0", {"qa": ["yes"]})
    lay(cast.globex.repository, "newt", "1.0", {"qa": ["yes"]})
    for script in (scripts.member, scripts.theirs, scripts.nobody):
        assert script.aql("items.find({})") == []
        assert script.get("api/search/prop?qa=yes") == {"results": []}
    for query in (
        'items.find({"@qa":"yes"})',
        'items.find({"$or":[{"repo":"hidden"},{"@qa":"yes"}]})',
        'items.find({"repo":{"$ne":"none"},"@qa":"yes"})',
    ):
        assert named(scripts.reader.aql(query)) == [FROG_1, FROG_110]
    assert scripts.reader.aql('items.find({"repo":"hidden"})') == []
    assert scripts.reader.get("api/search/prop?qa=yes&repos=hidden,globex/local")["results"] == []


def test_a_virtual_is_searched_as_its_pages_show_it(scripts, cast: Cast, shelf: None) -> None:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    for person in (cast.acme.reader, cast.acme.member):
        grant(virtual, Role.READER, person)
    query = 'items.find({"repo":"virtual","@qa":"yes"})'
    assert named(scripts.reader.aql(query)) == [FROG_1, FROG_110]
    assert scripts.member.aql(query) == []
    assert named(scripts.reader.aql('items.find({"repo":"virtual"}).offset(1).limit(1)')) == [
        FROG_110
    ]


def test_properties_are_searched_by_name_and_values(scripts, shelf: None) -> None:
    def found(query: str, **headers: str) -> list[str]:
        results = scripts.reader.get(f"api/search/prop?{query}", **headers)["results"]
        return sorted(
            each["uri"].partition("/api/storage/")[2].rpartition("/")[0] for each in results
        )

    assert found("qa=yes") == ["local/frog/1.0", "local/frog/1.10"]
    assert found("qa=yes&team=red") == ["local/frog/1.0"]
    assert found("team=red,blue") == ["local/frog/1.0", "local/toad/1.0.0"]
    assert found("team=") == ["local/frog/1.0", "local/toad/1.0.0"]
    assert found("team=b*&repos=local") == ["local/toad/1.0.0"]
    assert found("team=red&repos=other") == []
    scripts.reader.refused("GET", "api/search/prop", 400)
    scripts.reader.refused("GET", "api/search/prop?a%00=b", 400)


def test_the_results_of_properties_tell_more_when_asked(scripts, cast: Cast) -> None:
    published(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    (full,) = scripts.reader.get(
        "api/search/prop?pypi.name=frog", X_Result_Detail="info, properties"
    )["results"]
    assert full["size"] == str(Distribution.objects.get().size)
    assert full["properties"]["pypi.version"] == ["1.0"]


def test_a_query_is_read_into_criteria() -> None:
    read = parse('  items . find ( {"$or":[{"name":"a"},{"size":5}]} ) . limit ( 3 ) ')
    name = Condition("name", "$eq", "a", "find.$or[0].name")
    size = Condition("size", "$eq", "5", "find.$or[1].size")
    assert read.criterion == All((Either((All((name,)), All((size,)))),))
    assert read.limit == 3
    assert parse("items.find()").criterion == All(())


DEEP = '{"$and":[' * 12 + '{"name":"a"}' + "]}" * 12
MANY = ",".join('{"name":"a"}' for _ in range(51))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "A query begins with items.find("),
        ("builds.find({})", "A query begins with items.find("),
        ("items.find({)", "column 13: this is no JSON."),
        ("items.find({}", "column 14: a comma or ) is missing here."),
        ("items.find({},)", "column 15: this is no JSON."),
        ("items.find({}) please", "column 15: after this comes"),
        ("items.find({}).delete()", "column 15: after this comes"),
        ("items.find({}).limit(1).limit(2)", "column 25: there is a .limit( already."),
        ('items.find("name")', "find: an object of fields and values is missing here."),
        ('items.find({"title":"a"})', "find.title: there is no such field."),
        ('items.find({"@":"a"})', "find.@: there is no such field."),
        ('items.find({"$or":{}})', "find.$or: a list of objects is missing here."),
        ('items.find({"$or":[]})', "find.$or: a list of objects is missing here."),
        ('items.find({"$or":[{"size":{"$gt":5}}]})', "find.$or[0].size.$gt: there is no such op"),
        ('items.find({"name":5})', "find.name: the value is a plain text in quotes."),
        ('items.find({"name":{}})', "find.name: the value is a plain text in quotes."),
        ('items.find({"name":"a\\u0000"})', "find.name: the value is a plain text in quotes."),
        ('items.find({"name":"\\ud800"})', "find.name: the value is a plain text in quotes."),
        (f"items.find({DEEP})", "this is nested deeper than 8 levels."),
        (f'items.find({{"$or":[{MANY}]}})', "a query has at most 50 conditions."),
        ("items.find(" + "[" * 15_000, "this is nested too deep, or too long."),
        ("items.find(" + "9" * 15_000, "this is nested too deep, or too long."),
        ("items.find({})" + " " * 20_000, "A query has at most 20000 characters."),
        ("items.find({}).limit(-1)", "limit: a whole number up to 5000 stands here."),
        ("items.find({}).limit(true)", "limit: a whole number up to 5000 stands here."),
        ("items.find({}).offset(100001)", "offset: a whole number up to 100000 stands here."),
        ('items.find({}).sort("name")', "sort: an object of fields and values is missing here."),
        ('items.find({}).sort({"$up":["name"]})', 'sort: {"$asc": [...]} or {"$desc": [...]}'),
        ('items.find({}).sort({"$asc":["@qa"]})', "sort.$asc: a list of repo, path,"),
        ('items.find({}).include("secret")', "include: names of fields stand here"),
        ("items.find({}).include(5)", "include: names of fields stand here"),
    ],
)
def test_a_refusal_names_the_place(text: str, says: str) -> None:
    with pytest.raises(AqlRefused) as refused:
        parse(text)
    assert says in refused.value.sentence
    assert len(refused.value.sentence) < 500


def test_a_value_that_no_field_has_is_refused(scripts) -> None:
    for criteria, says in (
        ('{"size":{"$match":"1*"}}', "find.size: size takes $eq and $ne, and no pattern."),
        ('{"size":"many"}', "find.size: a size is a number of bytes."),
        ('{"created":"yesterday"}', "find.created: a time is written as"),
    ):
        said = scripts.reader.refused("POST", "api/search/aql", 400, f"items.find({criteria})")
        assert said.startswith(says)
