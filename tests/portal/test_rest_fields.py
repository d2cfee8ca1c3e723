"""Fields that a body has and an operation has not: the refusal names those that there are."""

from __future__ import annotations

from rest_framework import serializers

from accounts.rest.views import Strict
from tests.cast import Cast
from tests.portal.test_rest import Rest, ada, told

__all__ = ["ada"]  # the fixture


class Many(Strict):
    """More fields than anybody wants to read."""


class ReadAlone(Strict):
    """Nothing that may be set."""

    id = serializers.IntegerField(read_only=True)


def test_a_mistyped_field_is_told_with_those_that_may_be_set(cast: Cast, ada: Rest) -> None:
    said = told(ada("POST", "/tenants/acme/invitations", {"user": "sam"}), 400)
    assert "user: There is no such field. There are: username, kind." in said
    said = told(ada("PATCH", "/tenants/acme", {"slag": "x"}, If_Match="*"), 400)
    assert "slag: There is no such field. There are: name, host_name, quota_bytes" in said
    assert "used_bytes" not in said


def test_of_many_fields_the_first_are_named() -> None:
    form = Many(data={"x": 1})
    form.fields.update({f"f{number}": serializers.IntegerField() for number in range(23)})
    assert not form.is_valid()
    said = form.errors["x"]
    assert said.endswith("f18, f19 and 3 more, which the schema has.")
    assert "f20" not in said


def test_where_nothing_may_be_set_that_is_said() -> None:
    form = ReadAlone(data={"x": 1})
    assert not form.is_valid()
    assert form.errors["x"] == "There is no such field, and none that may be set."
