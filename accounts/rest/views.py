"""The view that every view of the REST door is, and the fields that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from django.http import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import again
from accounts.principal import Principal
from accounts.rest.callers import principal_of
from accounts.roles import Role
from base.stamps import configuring

S = TypeVar("S", bound=serializers.BaseSerializer[Any])
T = TypeVar("T")
P = ParamSpec("P")
# Of those that a refusal lists.
_FIELDS_SHOWN = 20


class JsonAlone(BaseContentNegotiation):
    """Answers in JSON whatever is asked for: there is nothing else, and a refusal is no answer."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        """Return the parser for the body that came."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((each for each in parsers if each.media_type == media_type), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Any,
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer."""
        return renderers[0], renderers[0].media_type


class RestView(APIView):
    """A view of the REST door: it knows who calls, and no cache shares its answers."""

    http_method_names = ("get", "head", "post", "put", "patch", "delete")
    content_negotiation_class = JsonAlone
    # False where the body is read as it comes, before the token of a form could be found in it.
    takes_sessions = True

    @property
    def by(self) -> Principal:
        """Return who calls."""
        return principal_of(self.request)

    @contextmanager
    def changing(
        self, allowed: Callable[Concatenate[Principal, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Iterator[T]:
        """Change something in `configuring()`, for who is `allowed` to, before it and within.

        The body is read first: how fast a client sends it, nobody else waits for. Within, `by` is
        who calls as they stand now; the change is of what `allowed` returns there.
        """
        allowed(self.by, *args, **kwargs)
        if self.request.method != "DELETE":  # such a request says all in its address
            _ = self.request.data
        with configuring():
            self.request.auth = again(self.by)
            yield allowed(self.by, *args, **kwargs)

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> Any:
        """Keep answers about what some may see out of others' caches."""
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]  # any answer
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ["Authorization", "X-JFrog-Art-Api", "Cookie"])
        return response


class Strict(serializers.Serializer[Any]):
    """Takes the fields that it names and no other: a mistyped one is not passed over.

    Those that are only read may come back as they were given out.
    """

    # Fields that change as the thing is used: no part of its version (accounts.rest.versions).
    moved_by_use: ClassVar[tuple[str, ...]] = ()

    def to_internal_value(self, data: Any) -> Any:
        """Return what was sent, once every field of it is known."""
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(dict.fromkeys(unknown, self._no_such_field()))
        return super().to_internal_value(data)

    def _no_such_field(self) -> str:
        names = [name for name, field in self.fields.items() if not field.read_only]
        if not names:
            return "There is no such field, and none that may be set."
        shown, more = names[:_FIELDS_SHOWN], len(names) - _FIELDS_SHOWN
        rest = f" and {more} more, which the schema has" if more > 0 else ""
        return f"There is no such field. There are: {', '.join(shown)}{rest}."


class RoleField(serializers.ChoiceField):
    """A role by its name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[role.label for role in Role], **options)

    def to_representation(self, value: Any) -> str:
        """Return the role's name."""
        return str(Role(value).label)

    def to_internal_value(self, data: Any) -> Role:  # type: ignore[override]  # a role, not its name
        """Return the role of a name."""
        name = super().to_internal_value(data)
        return next(role for role in Role if role.label == name)


def sent(form: type[S], request: Request, row: Any = None) -> dict[str, Any]:
    """Return the fields of the body as `form` reads them; with `row`, those alone that came."""
    reading = form(row, data=request.data, partial=row is not None)
    reading.is_valid(raise_exception=True)
    return dict(reading.validated_data)


def asked(form: type[S], request: Request) -> dict[str, Any]:
    """Return the query of the address as `form` reads it."""
    reading = form(data=request.query_params.dict())
    reading.is_valid(raise_exception=True)
    return dict(reading.validated_data)
