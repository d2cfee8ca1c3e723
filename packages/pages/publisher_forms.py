"""The forms that let CI publish: one for each kind of issuer, in the words of its host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Issuer
from base.audit import Actor
from packages.filenames import NameRefused, parse_name
from repos import publishers
from repos.models import Repository, TrustedPublisher

Kind = Issuer.Kind
_NUMBER = "A number. A name that is given up can come to somebody else; this cannot. Empty: whoever publishes first."  # noqa: E501
_ITS_NUMBER = "A number. What is made again under the same name has another. Empty: of whoever publishes first."  # noqa: E501
# By which a host knows who is behind a name, however often that is given away.
NUMBERS = ("owner_id", "source_id")
_REF = "Such as refs/tags/*. Empty: any."
# Where most jobs run; an issuer of one's own is chosen beside them.
_USUAL = frozenset({"https://token.actions.githubusercontent.com", "https://gitlab.com"})
_TYPED = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class PublisherForm(forms.Form):
    """What is asked for each kind; `names` says which field a refusal belongs beside."""

    kind: ClassVar[Kind]
    # Fields that stand for those of TrustedPublisher that have another name here.
    names: ClassVar[dict[str, str]] = {"normalized": "project"}
    rarely: ClassVar[tuple[str, ...]] = ("claims",)

    project = forms.CharField(
        max_length=200, help_text="As in pyproject.toml; it need not be there yet."
    )
    claims = forms.CharField(
        label="Further claims",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2} | _TYPED),
        help_text="Each must be in the token and equal. One name=value a line.",
    )

    def __init__(self, *args: Any, issuers: Sequence[Issuer], **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        """`issuers` are those of this kind; which one is asked where there are several."""
        super().__init__(*args, **kwargs)
        self.issuers = {str(each.pk): each for each in issuers}
        if len(issuers) > 1:
            choices = [(pk, each.url) for pk, each in self.issuers.items()]
            first = next((pk for pk, url in choices if url in _USUAL), None)
            self.fields["issuer"] = forms.ChoiceField(
                label="Issuer", choices=choices, initial=first
            )
            self.order_fields(["issuer"])
        for field in self.fields.values():
            field.widget.attrs |= _TYPED

    @property
    def voucher(self) -> str:
        """Return who vouches for it where that is not asked."""
        return "" if "issuer" in self.fields else next(iter(self.issuers.values())).url

    @property
    def usual(self) -> list[forms.BoundField]:
        """Return the fields that everybody looks at."""
        return [field for field in self if field.name not in self.rarely]

    @property
    def further(self) -> list[forms.BoundField]:
        """Return the others."""
        return [self[name] for name in self.rarely]

    @property
    def has_further(self) -> bool:
        """Say whether something stands in one of the others, or is wrong with it."""
        return any(field.errors or field.value() for field in self.further)

    def clean_project(self) -> str:
        """Return the normalised name."""
        try:
            return parse_name(self.cleaned_data["project"])
        except NameRefused as refused:
            raise ValidationError(refused.sentence) from None

    def clean_claims(self) -> dict[str, str]:
        """Return the lines as names and values."""
        pairs = [line.partition("=") for line in self.cleaned_data["claims"].splitlines() if line]
        if not all(name.strip() and value.strip() for name, _, value in pairs):
            raise ValidationError("Give one name=value a line.")
        return {name.strip(): value.strip() for name, _, value in pairs}

    def add(self, repository: Repository, *, by: Actor) -> TrustedPublisher | None:
        """Let it publish; None where the use case refuses, which stands beside its field then."""
        row = TrustedPublisher(
            repository=repository,
            issuer=self.issuers[self.cleaned_data.get("issuer") or next(iter(self.issuers))],
            normalized=self.cleaned_data["project"],
            claims=self.cleaned_data["claims"],
            **self.said(),
        )
        try:
            publishers.add_publisher(row, by=by)
        except ValidationError as refusal:
            _stand_beside(self, refusal, self.names)
            return None
        return row

    def said(self) -> dict[str, str]:
        """Return what is particular to the kind, by the fields of TrustedPublisher."""
        raise NotImplementedError


class GitHubForm(PublisherForm):
    """A workflow of GitHub Actions."""

    kind = Kind.GITHUB
    names: ClassVar = PublisherForm.names | {"source": "name"}
    rarely: ClassVar = ("ref", *NUMBERS, "claims")

    owner = forms.CharField(max_length=100, help_text="The user or organisation: acme.")
    name = forms.CharField(label="Repository name", max_length=300)
    workflow = forms.CharField(
        label="Workflow file", max_length=300, help_text="In .github/workflows: release.yml."
    )
    environment = forms.CharField(
        max_length=255,
        required=False,
        help_text="Of the job. It is worth having one that only releases may use. Empty: any.",
    )
    ref = forms.CharField(label="Branch or tag", max_length=255, required=False, help_text=_REF)
    owner_id = forms.CharField(
        label="Owner's id", max_length=100, required=False, help_text=_NUMBER
    )
    source_id = forms.CharField(
        label="Repository's id", max_length=100, required=False, help_text=_ITS_NUMBER
    )

    def clean_owner(self) -> str:
        """Refuse more than the owner: model and command write both with a slash, in one."""
        if "/" in self.cleaned_data["owner"]:
            raise ValidationError("Give the owner alone, without a slash.")
        return str(self.cleaned_data["owner"])

    def clean_name(self) -> str:
        """Refuse more than the name likewise."""
        if "/" in self.cleaned_data["name"]:
            raise ValidationError("Give the name alone; its owner stands in the field before.")
        return str(self.cleaned_data["name"])

    def said(self) -> dict[str, str]:
        """Return what GitHub's claims are compared with."""
        told = self.cleaned_data
        return {"source": f"{told['owner']}/{told['name']}"} | {
            name: told[name] for name in ("workflow", "environment", "ref", *NUMBERS)
        }


class GitLabForm(PublisherForm):
    """A pipeline of GitLab CI."""

    kind = Kind.GITLAB
    names: ClassVar = PublisherForm.names | {"source": "name"}
    rarely: ClassVar = ("ref", *NUMBERS, "claims")

    namespace = forms.CharField(max_length=300, help_text="The group or user: acme/tools.")
    name = forms.CharField(label="Project at GitLab", max_length=200)
    workflow = forms.CharField(
        label="Pipeline file", max_length=300, initial=".gitlab-ci.yml", help_text="Its path."
    )
    environment = forms.CharField(
        max_length=255, required=False, help_text="Of the job. Empty: any."
    )
    ref = forms.CharField(label="Branch or tag", max_length=255, required=False, help_text=_REF)
    owner_id = forms.CharField(
        label="Namespace's id", max_length=100, required=False, help_text=_NUMBER
    )
    source_id = forms.CharField(
        label="Project's id", max_length=100, required=False, help_text=_ITS_NUMBER
    )

    def clean_namespace(self) -> str:
        """Return the path without slashes around it."""
        namespace = str(self.cleaned_data["namespace"]).strip("/")
        if not namespace:
            raise ValidationError("Give the group or user that the project belongs to.")
        return namespace

    def said(self) -> dict[str, str]:
        """Return what GitLab's claims are compared with."""
        told = self.cleaned_data
        return {"source": f"{told['namespace']}/{told['name']}"} | {
            name: told[name] for name in ("workflow", "environment", "ref", *NUMBERS)
        }


class GoogleForm(PublisherForm):
    """A service account of Google Cloud."""

    kind = Kind.GOOGLE
    rarely: ClassVar = ("source_id", "claims")

    # The model says what is none, as it does by the other doors.
    source = forms.CharField(
        label="E-mail address of the service account", max_length=500, widget=forms.EmailInput
    )
    source_id = forms.CharField(
        label="Account's id", max_length=100, required=False, help_text=_ITS_NUMBER
    )

    def said(self) -> dict[str, str]:
        """Return what Google's claims are compared with."""
        return {name: self.cleaned_data[name] for name in ("source", "source_id")}


class OtherForm(PublisherForm):
    """Whatever else speaks OpenID Connect."""

    kind = Kind.OTHER

    source = forms.CharField(
        label="Subject", max_length=500, help_text="Exactly as its tokens say it (sub)."
    )

    def said(self) -> dict[str, str]:
        """Return what the claims are compared with."""
        return {"source": self.cleaned_data["source"]}


FORMS: dict[str, type[PublisherForm]] = {
    form.kind: form for form in (GitHubForm, GitLabForm, GoogleForm, OtherForm)
}


class AnewForm(forms.Form):
    """Whom to trust by a publisher's name from now on; `kind` says which numbers its host tells."""

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, **kwargs)
        asked = FORMS[kind].base_fields
        self.fields |= {name: deepcopy(asked[name]) for name in NUMBERS if name in asked}
        for field in self.fields.values():
            field.widget.attrs |= _TYPED

    def trust(self, publisher: TrustedPublisher, *, by: Actor) -> bool:
        """Trust them; False where the use case refuses, which stands beside its field then."""
        try:
            publishers.trust_anew(publisher, by=by, **self.cleaned_data)
        except ValidationError as refusal:
            _stand_beside(self, refusal, {})
            return False
        return True


def _stand_beside(form: forms.Form, refusal: ValidationError, names: Mapping[str, str]) -> None:
    """Let each sentence stand beside its field; `names` has fields that are called otherwise."""
    for name, sentences in refusal.update_error_dict({}).items():
        place = names.get(name, name)
        form.add_error(place if place in form.fields else None, sentences)
