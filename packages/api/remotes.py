"""What stands behind a remote, and what it keeps: tried out, looked at, purged."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, paged
from accounts.rest.views import RestView, Strict, sent
from accounts.roles import Role
from base.errors import NotThere
from packages import purge
from packages.long_work import state_of
from packages.models import CachePurge, UpstreamHealth
from packages.purge_form import DAYS_AT_MOST
from packages.statistics import totals
from packages.upstream.trial import check_upstream
from repos.access import require
from repos.models import Kind, Repository, Upstream

_LATEST = Order(("pk",), (int,), is_descending=True)


class TrialFacts(serializers.Serializer[Any]):
    """What came of one question."""

    works = serializers.BooleanField()
    says = serializers.CharField()


class Trials(serializers.Serializer[Any]):
    """What came of trying an upstream out."""

    works = serializers.BooleanField(help_text="All of it.")
    trials = TrialFacts(many=True)


class PurgeFacts(serializers.ModelSerializer[CachePurge]):
    """A purge of what a remote keeps, and how far it is."""

    state = serializers.SerializerMethodField(
        help_text="running; stopped: no worker has moved it for long; ended."
    )
    by = serializers.CharField(help_text="The name of who began it.")
    files = serializers.IntegerField(allow_null=True, help_text="null until they are counted.")
    bytes = serializers.IntegerField(allow_null=True, help_text="The same.")

    class Meta:
        model = CachePurge
        fields = (
            "id", "state", "by", "fetched_days", "unused_days", "files", "bytes", "files_done",
            "bytes_done", "began_at", "moved_at", "ended_at",
        )  # fmt: skip
        read_only_fields = fields

    def to_representation(self, instance: CachePurge) -> dict[str, Any]:
        """Return a purge without the numbers that nobody has counted yet."""
        said: dict[str, Any] = super().to_representation(instance)
        return said if instance.is_counted else said | {"files": None, "bytes": None}

    def get_state(self, row: CachePurge) -> str:
        """Say how it stands, in a word."""
        return state_of(row)


class NewPurge(Strict):
    """Which kept files are to go: all, or those for which each number that is not 0 is true."""

    typed = serializers.CharField(
        max_length=300, help_text="tenant/key of the remote, to say that you mean it."
    )
    fetched_days = serializers.IntegerField(
        default=0, min_value=0, max_value=DAYS_AT_MOST, help_text="Fetched so long ago."
    )
    unused_days = serializers.IntegerField(
        default=0, min_value=0, max_value=DAYS_AT_MOST, help_text="Not asked for in so long."
    )


class CacheState(serializers.Serializer[Any]):
    """What a remote keeps, and how its upstream has answered lately."""

    files = serializers.IntegerField()
    bytes = serializers.IntegerField()
    is_exact = serializers.BooleanField(help_text="false: counted a while ago, or in part.")
    answers = serializers.BooleanField(
        allow_null=True, help_text="Whether upstream does; null: it was not asked yet."
    )
    failure = serializers.CharField(help_text="Why it does not; empty where it does.")
    purge = PurgeFacts(allow_null=True, help_text="The one that goes on.")


class TryingOut(RestView):
    """The connection to an upstream."""

    @extend_schema(operation_id="check_upstream", request=None, responses=Trials)
    def post(self, request: Request, tenant: str, key: str) -> Response:
        """Ask upstream for a page and a file, as installers do, and say what it answers."""
        remote = _remote(require(self.by, tenant, key, Role.ADMIN))
        upstream = Upstream.objects.filter(repository=remote).first()
        if upstream is None:
            raise ValidationError(f"{remote} has no index URL yet.")
        trials = check_upstream(remote, upstream)
        said = {"works": all(each.works for each in trials), "trials": trials}
        return Response(Trials(said).data)


class Cache(RestView):
    """What a remote keeps."""

    @extend_schema(operation_id="read_cache", responses=CacheState)
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """Read how much a remote keeps, and whether its upstream answers."""
        remote = _remote(require(self.by, tenant, key, Role.ADMIN))
        kept = totals(remote)
        health = UpstreamHealth.objects.filter(repository=remote).first()
        is_away = health is not None and health.failures > 0
        said = {
            "files": kept.files,
            "bytes": kept.stored_bytes,
            "is_exact": kept.is_exact,
            "answers": None if health is None else not is_away,
            "failure": health.failure if health is not None and is_away else "",
            "purge": CachePurge.objects.filter(repository=remote, ended_at__isnull=True).first(),
        }
        return Response(CacheState(said).data)


class Purges(RestView):
    """The purges of what a remote keeps."""

    @extend_schema(
        operation_id="list_purges", parameters=[PageAsked], responses=paged(PurgeFacts, "PurgePage")
    )
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """List the purges of what a remote keeps, the latest first."""
        remote = _remote(require(self.by, tenant, key, Role.ADMIN))
        return page_of(request, CachePurge.objects.filter(repository=remote), _LATEST, PurgeFacts)

    @extend_schema(
        operation_id="purge_cache",
        parameters=[IDEMPOTENCY_KEY],
        request=NewPurge,
        responses={202: PurgeFacts},
        examples=[
            OpenApiExample(
                "what is not in use",
                {"typed": "acme/pypi-remote", "unused_days": 90},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, tenant: str, key: str) -> Response:
        """Let workers purge what a remote keeps; it is fetched again when asked for."""
        remote = _remote(require(self.by, tenant, key, Role.ADMIN))
        said = sent(NewPurge, request)

        def make() -> Response:
            row = purge.ask(remote, by=self.by, **said)
            return Response(PurgeFacts(row).data, status=202)

        return once(request, make)


class OnePurge(RestView):
    """A purge of what a remote keeps."""

    @extend_schema(operation_id="read_purge", responses=PurgeFacts)
    def get(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Read how far a purge is."""
        remote = _remote(require(self.by, tenant, key, Role.ADMIN))
        row = CachePurge.objects.filter(repository=remote, pk=pk).first()
        if row is None:
            raise NotThere(f"{remote} has no purge {pk}.")
        return Response(PurgeFacts(row).data)


def _remote(repository: Repository) -> Repository:
    if repository.kind != Kind.REMOTE:
        raise ValidationError(f"{repository} is no remote and keeps nothing of upstream.")
    return repository
