"""Why a repository shows what it shows, and how far the extraction of its metadata is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.views import RestView, asked
from accounts.roles import Role
from packages.api.facts import provenance_of_line
from packages.explain import Explained, Explanation, explanation
from packages.extraction.waiting import waiting_in
from packages.filenames import NormalizedName, parse_name
from packages.index.decision import Cause
from packages.index.virtual import page_order
from packages.pip_choice import PLATFORMS, PYTHONS, USUAL_PLATFORM, USUAL_PYTHON, choose
from repos.access import require
from repos.models import Repository
from repos.quiet import extract_now

_CAUSES = {cause: cause.name.lower().replace("_", "-") for cause in Cause}


class QuestionAsked(serializers.Serializer[Any]):
    """What is asked: a project, and for which machine."""

    project = serializers.CharField(max_length=200)
    python = serializers.ChoiceField(PYTHONS, default=USUAL_PYTHON)
    platform = serializers.ChoiceField(sorted(PLATFORMS), default=USUAL_PLATFORM)


class ExplainedLine(serializers.Serializer[Any]):
    """A file that a repository could show, or a source of which no file is known."""

    source = serializers.CharField(help_text="Empty for a member that you may not read.")  # type: ignore[assignment]  # a field, not where it is
    filename = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    is_shown = serializers.BooleanField()
    cause = serializers.ChoiceField(sorted(_CAUSES.values()), allow_null=True)
    why = serializers.CharField(help_text="The cause as a clause; empty for what is shown.")
    pip = serializers.CharField(allow_null=True, help_text="Why pip passes over a shown file.")
    attested_by = serializers.CharField(
        help_text="Whose CI attests it, as was verified here (PEP 740); empty: nobody's."
    )
    provenance = serializers.URLField(
        allow_null=True, help_text="Of a shown file: where its provenance is, here or upstream."
    )


class ExplainedMember(serializers.Serializer[Any]):
    """What a source contributes to a name."""

    source = serializers.CharField(allow_null=True, help_text="null: one that you may not read.")  # type: ignore[assignment]  # a field, not where it is
    shown = serializers.IntegerField()
    hidden = serializers.IntegerField()
    why = serializers.CharField(help_text="Why it contributes nothing, if something keeps it.")


class ProjectExplained(serializers.Serializer[Any]):
    """Why a repository shows these files of a project and not others."""

    project = serializers.CharField()
    taken = serializers.CharField(allow_null=True, help_text="The file that pip takes.")
    why = serializers.CharField(help_text="Why pip takes it, or none.")
    lines = ExplainedLine(many=True)
    members = ExplainedMember(many=True)


class ExtractionState(serializers.Serializer[Any]):
    """What waits to be extracted."""

    files = serializers.IntegerField()
    is_more = serializers.BooleanField(help_text="Than were counted.")
    is_running = serializers.BooleanField()
    seconds = serializers.IntegerField(help_text="Until it begins, unless something is uploaded.")
    says = serializers.CharField(help_text="The same in a sentence; empty when nothing waits.")


class Explain(RestView):
    """Why a repository shows what it shows."""

    @extend_schema(
        operation_id="explain_project", parameters=[QuestionAsked], responses=ProjectExplained
    )
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """Read every file of a project that the repository could show, with what hides it."""
        repository = require(self.by, tenant, key, Role.READER)
        said = asked(QuestionAsked, request)
        name = parse_name(said["project"])
        found = explanation(repository, name, self.by)
        return Response(_written(repository, name, found, said))


class Extraction(RestView):
    """How far the extraction of a repository's metadata is."""

    @extend_schema(operation_id="read_extraction", responses=ExtractionState)
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """Read how many files wait to be extracted, and for how long; `/files` names them."""
        return Response(
            ExtractionState(waiting_in(require(self.by, tenant, key, Role.READER))).data
        )


class ExtractionNow(RestView):
    """The extraction of a repository's metadata, at once."""

    @extend_schema(operation_id="extract_now", request=None, responses={202: ExtractionState})
    def post(self, request: Request, tenant: str, key: str) -> Response:
        """Let the extraction of what waits begin now, not after the quiet period."""
        repository = require(self.by, tenant, key, Role.ADMIN)
        extract_now(repository, by=self.by)
        return Response(ExtractionState(waiting_in(repository)).data, status=202)


def _written(
    repository: Repository, name: NormalizedName, found: Explanation, said: dict[str, Any]
) -> dict[str, Any]:
    shown = [line.file for line in found.lines if line.cause is None and line.file is not None]
    machine = {"python": said["python"], "platform": said["platform"]}
    choice = choose(sorted(shown, key=page_order), **machine)
    return {
        "project": name,
        "taken": choice.taken.filename if choice.taken else None,
        "why": choice.why,
        "lines": [
            _line(line, choice.passed_over) | _vouched(repository, name, line)
            for line in found.lines
        ],
        "members": [
            {
                "source": str(member.source) if member.source else None,
                "shown": member.shown,
                "hidden": member.hidden,
                "why": member.silence.why if member.silence else "",
            }
            for member in found.members
        ],
    }


def _line(line: Explained, passed_over: Mapping[str, str]) -> dict[str, Any]:
    file = line.file
    is_shown = line.cause is None and file is not None
    return {
        "source": line.source,
        "filename": file.filename if file else None,
        "version": file.version if file else None,
        "sha256": file.sha256 if file else None,
        "is_shown": is_shown,
        "cause": _CAUSES[line.cause] if line.cause is not None else None,
        "why": line.why,
        "pip": passed_over.get(file.filename) if file and is_shown else None,
    }


def _vouched(repository: Repository, name: NormalizedName, line: Explained) -> dict[str, Any]:
    is_shown = line.cause is None and line.file is not None
    return {
        "attested_by": line.attested_by,
        "provenance": provenance_of_line(repository, name, line.file)
        if line.file and is_shown
        else None,
    }
