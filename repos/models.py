"""What exists and who may: repositories, what is particular to a kind, and grants."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import ClassVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
    validate_email,
)
from django.db import models
from django.utils.deconstruct import deconstructible

from accounts.identities import called
from accounts.models import Issuer, Membership, PublishingToken, Team, Tenant, Token, User
from accounts.roles import Role
from base.slugs import RESERVED_REPOSITORY_KEYS, SLUG_MAX_LENGTH, validate_slug
from base.stamps import Stamp
from repos.rules import Rules

GIB = 1024**3


class Kind(models.TextChoices):
    """What a repository is to its clients."""

    LOCAL = "local", "local"  # holds what we publish
    REMOTE = "remote", "remote"  # proxies another index and keeps what was asked for
    VIRTUAL = "virtual", "virtual"  # shows several repositories under one URL


def validate_index_url(text: str) -> None:
    """Refuse what is no http URL. A host of one label is fine: companies name mirrors so."""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or not text.isprintable() or " " in text:
        raise ValidationError("Give the http:// or https:// URL of an index.")


# Normalised as project names are (PEP 503); "-*" at the end makes it a prefix.
validate_claim = RegexValidator(
    r"\A[a-z0-9]+(-[a-z0-9]+)*(-\*)?\Z",
    "Give a normalised project name, or a beginning of one that ends in -*.",
)


# A scope's segments go into upstream's URL as they are; none may lead out of it.
_SEGMENT = r"(?!\.+(?:/|\Z))[A-Za-z0-9._-]+"
validate_scope = RegexValidator(
    rf"\A{_SEGMENT}(/{_SEGMENT})*\Z",
    "Give a scope such as root/pypi: letters, digits, . _ - and /.",
)
validate_scope_pattern = RegexValidator(
    rf"\A{_SEGMENT}(/{_SEGMENT})*(/\*)?\Z", "Give a scope such as root/pypi, or user/* for many."
)
# Of normalised names; a star stands for any characters.
validate_name_pattern = RegexValidator(
    r"\A[a-z0-9*-]+\Z", "Give a normalised project name; * stands for any characters."
)


validate_project = RegexValidator(r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", "Give a normalised project name.")


@deconstructible
class ListOf:
    """Validates a list of short texts by the validator of one."""

    def __init__(self, one: RegexValidator) -> None:
        self.one = one

    def __eq__(self, other: object) -> bool:
        """Compare as migrations do."""
        return isinstance(other, ListOf) and self.one == other.one

    def __hash__(self) -> int:
        """Agree with the comparison."""
        return hash(self.one.regex)

    def __call__(self, value: object) -> None:
        """Refuse what is no list, and what holds something that one would not be."""
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValidationError("Give a list of texts.")
        for each in value:
            self.one(each)


class Repository(models.Model):
    """The row that an administrator configures; `packages.index` gives it behaviour."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="repositories")
    key = models.CharField(
        max_length=SLUG_MAX_LENGTH,
        validators=[validate_slug],
        help_text="The second part of its URL. It cannot be changed later.",
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.LOCAL)
    description = models.CharField(max_length=500, blank=True)
    quiet_period = models.PositiveIntegerField(
        default=60,
        validators=[MaxValueValidator(86_400)],
        help_text="Seconds without an upload before metadata of new files is extracted.",
    )
    max_file_bytes = models.BigIntegerField(
        "largest file",
        default=4 * GIB,
        validators=[MinValueValidator(1)],
        help_text="In bytes; a larger upload is refused.",
    )
    rules = models.CharField(
        "upload rules",
        max_length=10,
        choices=[(rules.value, rules.value) for rules in Rules],
        default=Rules.COMPATIBLE.value,
        help_text="Strict: as the public index. Compatible: also what older tools have written.",
    )
    overwrite_allowed = models.BooleanField(
        "files may be overwritten",
        default=False,
        help_text="Off: a file that was published never changes. Installers count on that.",
    )
    releases_close_after_days = models.PositiveIntegerField(
        "releases close after",
        null=True,
        blank=True,
        validators=[MaxValueValidator(36_500)],
        help_text="Days after its first file in which a release takes more. Empty: always.",
    )
    created_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["tenant__slug", "key"]
        verbose_name_plural = "repositories"
        constraints: ClassVar = [
            # Deleted rows count: a key stays taken until a superuser frees it.
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="one_repository_per_key_and_tenant",
                violation_error_message="This key is taken in this tenant.",
                violation_error_code="unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant}/{self.key}"

    def clean(self) -> None:
        """Refuse a key that Artifactory's URL forms need."""
        if self.key in RESERVED_REPOSITORY_KEYS:
            raise ValidationError({"key": f"'{self.key}' is part of a URL of the portal itself."})


class RepositoryState(models.Model):
    """The stamp of a repository and its place in the quiet period, apart from its settings.

    A narrow row that every publish updates, so that nobody waits for it to read settings.
    """

    repository = models.OneToOneField(
        Repository, on_delete=models.CASCADE, primary_key=True, related_name="state"
    )
    epoch = models.BigIntegerField(default=0)  # moved by settings, members, upstream
    serial = models.BigIntegerField(default=0)  # moved by contents
    nonce = models.CharField(max_length=16)
    extraction_generation = models.BigIntegerField(default=0)
    extract_after = models.DateTimeField(null=True, db_index=True)
    oldest_pending_at = models.DateTimeField(null=True)
    # Who extracts now: only the holder of the fence may write what it has read.
    extraction_fence = models.CharField(max_length=32, blank=True)
    extraction_lease_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.repository_id}: {self.epoch}.{self.serial}"

    @property
    def stamp(self) -> Stamp:
        """Return what tells whether the repository has changed since."""
        return Stamp(epoch=self.epoch, serial=self.serial, nonce=self.nonce)


class Upstream(models.Model):
    """Where a remote repository points, and how it is asked."""

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="upstream")
    index_url = models.CharField(
        "index URL",
        max_length=1000,
        validators=[validate_index_url],
        help_text="Without user name or password. The suffix is added when it is not there.",
    )
    suffix = models.CharField(
        max_length=100,
        default="simple",
        blank=True,
        help_text="simple for most, +simple for devpi, empty for a flat list of files.",
    )
    scopes = models.JSONField(
        default=list,
        blank=True,
        validators=[ListOf(validate_scope_pattern)],
        help_text="What may stand between the index URL and the suffix: root/pypi, or user/*.",
    )
    files_url = models.CharField(
        "URL of files",
        max_length=1000,
        blank=True,
        validators=[validate_index_url],
        help_text="Where files come from another host than pages: it gets the same user name and "
        "password, and may have a private address too if the index may.",
    )
    username = models.CharField(max_length=255, blank=True)
    sealed_password = models.TextField(blank=True, editable=False)
    private_allowed = models.BooleanField(
        "may have a private address",
        default=False,
        help_text="Tick it for an index inside your network.",
    )
    names_are_kept = models.BooleanField(
        "names are kept",
        null=True,
        blank=True,
        help_text="Yes: a name it ever had is never taken from other remotes. "
        "Unknown: yes if it has a user name or password, or may have a private address.",
    )
    ca = models.TextField(
        "certificate authority",
        blank=True,
        help_text="In PEM form, when the usual ones do not vouch for it.",
    )
    proxy = models.CharField(
        max_length=1000,
        blank=True,
        validators=[validate_index_url],
        help_text="The http proxy that leads to it, without user name or password.",
    )
    connect_seconds = models.PositiveSmallIntegerField(
        "seconds to connect", default=5, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    read_seconds = models.PositiveSmallIntegerField(
        "seconds of silence",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(600)],
        help_text="After so many seconds without a byte it counts as away.",
    )
    fresh_seconds = models.PositiveIntegerField(
        "fresh for",
        default=600,
        validators=[MaxValueValidator(2_592_000)],
        help_text="Seconds for which a page is served without asking again.",
    )
    negative_seconds = models.PositiveIntegerField(
        "not there for",
        default=60,
        validators=[MaxValueValidator(86_400)],
        help_text="Seconds for which it is not asked again for a project that it did not have.",
    )
    offline = models.BooleanField(
        default=False, help_text="Serve what is kept, and ask for nothing."
    )
    lists_projects = models.BooleanField(
        "passes its list of projects on",
        default=True,
        help_text="The list can be long; installers do not need it.",
    )
    include = models.JSONField(
        default=list,
        blank=True,
        validators=[ListOf(validate_name_pattern)],
        help_text="Names that it is asked for, such as acme-*; empty: all.",
    )
    exclude = models.JSONField(
        default=list,
        blank=True,
        validators=[ListOf(validate_name_pattern)],
        help_text="Names that it is never asked for.",
    )

    def __str__(self) -> str:
        return self.index_url

    def clean(self) -> None:
        """Keep credentials out of the URLs, where they would be shown."""
        if self.repository.kind != Kind.REMOTE:
            raise ValidationError("Only a remote repository has an upstream.")
        for name in ("index_url", "files_url", "proxy"):
            if "@" in getattr(self, name).partition("://")[2].partition("/")[0]:
                raise ValidationError(
                    {name: "Give user name and password in their own fields, not in the URL."}
                )

    @property
    def keeps_names(self) -> bool:
        """Say whether a name that it ever had is not taken from other remotes."""
        if self.names_are_kept is None:
            return bool(self.username or self.sealed_password) or self.private_allowed
        return self.names_are_kept

    def may_ask_for(self, normalized: str) -> bool:
        """Say whether upstream is asked for the project of this normalised name at all."""
        wanted = not self.include or any(fnmatchcase(normalized, each) for each in self.include)
        return wanted and not any(fnmatchcase(normalized, each) for each in self.exclude)

    def may_use_scope(self, scope: str) -> bool:
        """Say whether `scope` may stand in our URLs for this remote; none always may."""
        return not scope or any(
            scope == each or (each.endswith("/*") and scope.startswith(each[:-1]))
            for each in self.scopes
        )


class VirtualSettings(models.Model):
    """How a virtual repository shows its members. Without a row: as the defaults say."""

    class Merge(models.TextChoices):
        """Whose files a name shows that several members have."""

        ALL = "all", "all members' files"
        FIRST = "first", "the files of the first member that has it"

    repository = models.OneToOneField(
        Repository, on_delete=models.CASCADE, related_name="virtual_settings"
    )
    merge = models.CharField(
        "a name shows",
        max_length=5,
        choices=Merge.choices,
        default=Merge.ALL,
    )
    deployment = models.ForeignKey(
        Repository,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="deployment_of",
        verbose_name="uploads go to",
        help_text="A local repository below it. Empty: uploads are refused.",
    )

    def __str__(self) -> str:
        return f"settings of {self.repository}"


class AlsoUpstream(models.Model):
    """A name of ours that a virtual takes from its remotes as well, because an admin says so."""

    virtual = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="also_upstream")
    normalized = models.CharField(
        "project",
        max_length=200,
        validators=[validate_project],
    )

    class Meta:
        ordering: ClassVar = ["virtual", "normalized"]
        verbose_name = "name also from upstream"
        verbose_name_plural = "names also from upstream"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["virtual", "normalized"],
                name="a_virtual_marks_a_name_once",
                violation_error_message="The virtual has this mark already.",
                violation_error_code="unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.normalized} also from upstream in {self.virtual}"


class Member(models.Model):
    """An ordered place in a virtual repository."""

    virtual = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="members")
    repository = models.ForeignKey(
        Repository, on_delete=models.PROTECT, related_name="member_of", verbose_name="member"
    )
    scope = models.CharField(
        max_length=200,
        blank=True,
        validators=[validate_scope],
        help_text="Of a remote that is asked with scopes: the one that is shown here.",
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Smaller comes first.")

    class Meta:
        ordering: ClassVar = ["position", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["virtual", "repository", "scope"],
                name="a_virtual_shows_a_repository_once",
                violation_error_message="The virtual has this member already.",
                violation_error_code="unique",
            ),
            models.CheckConstraint(
                condition=~models.Q(virtual=models.F("repository")),
                name="a_virtual_is_not_its_own_member",
            ),
        ]

    def __str__(self) -> str:
        where = f"{self.repository}/{self.scope}" if self.scope else str(self.repository)
        return f"{where} in {self.virtual}"


class Grant(models.Model):
    """A role on one repository for a user, a team, or one of three wider circles."""

    class Subject(models.TextChoices):
        """Whom a grant is for."""

        USER = "user", "a user"
        TEAM = "team", "a team"
        MEMBERS = "members", "all members of the tenant"
        SIGNED_IN = "signed-in", "all signed-in users"
        ANYONE = "anyone", "anyone, signed in or not"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="grants")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.READER)
    subject = models.CharField("for", max_length=10, choices=Subject.choices, default=Subject.USER)
    membership = models.ForeignKey(
        Membership,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name="user",
    )
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="grants"
    )

    class Meta:
        ordering: ClassVar = ["repository", "-role", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(subject="user", membership__isnull=False, team__isnull=True)
                | models.Q(subject="team", membership__isnull=True, team__isnull=False)
                | models.Q(
                    subject__in=["members", "signed-in", "anyone"],
                    membership__isnull=True,
                    team__isnull=True,
                ),
                name="a_grant_names_whom_its_subject_says",
                violation_error_message=(
                    "Name a user for 'a user', a team for 'a team', and neither otherwise."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(role=1) | ~models.Q(subject__in=["signed-in", "anyone"]),
                name="the_widest_circles_only_read",
                violation_error_message=(
                    "All signed-in users, and anyone, can be given the reader role only."
                ),
            ),
            *(
                models.UniqueConstraint(
                    fields=["repository", field],
                    condition=models.Q(subject__in=subjects),
                    name=f"one_grant_per_{field}",
                    violation_error_message="There is a grant for this subject; change that one.",
                    violation_error_code="unique",
                )
                for field, subjects in (
                    ("membership", ["user"]),
                    ("team", ["team"]),
                    ("subject", ["members", "signed-in", "anyone"]),
                )
            ),
        ]

    def __str__(self) -> str:
        who = self.membership.user if self.membership else self.team or self.get_subject_display()
        return f"{self.get_role_display()} on {self.repository} for {who}"

    def clean(self) -> None:
        """Keep grants within the repository's tenant."""
        if self.repository_id is None:
            return  # the form says so
        for subject in (self.membership, self.team):
            if subject is not None and subject.tenant_id != self.repository.tenant_id:
                raise ValidationError(
                    f"{subject} does not belong to {self.repository.tenant}, "
                    f"the tenant of {self.repository}."
                )


class Claim(models.Model):
    """A name, or a prefix like `acme-*`, that a repository declares its own."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="claims")
    pattern = models.CharField(
        max_length=200,
        validators=[validate_claim],
        help_text="A project's name, or a beginning like acme-* (which does not match acme).",
    )

    class Meta:
        ordering: ClassVar = ["repository", "pattern"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "pattern"],
                name="a_repository_claims_a_pattern_once",
                violation_error_message="The repository claims this already.",
                violation_error_code="unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pattern} for {self.repository}"

    def covers(self, normalized: str) -> bool:
        """Say whether the claim is for the project of this normalised name."""
        if self.pattern.endswith("*"):
            return normalized.startswith(self.pattern.removesuffix("*"))
        return normalized == self.pattern


class TokenRepository(models.Model):
    """One of the repositories that a token is limited to."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="repositories")
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="tokens")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["token", "repository"], name="a_token_names_a_repository_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.token}: {self.repository}"


class ClientCall(models.Model):
    """The last call of one client, with one credential of one user, in a repository.

    Kept for a day, and written behind the requests (`repos.client_calls`).
    """

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="calls")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calls")
    # Not a foreign key: 0 is a password, which upserts could not tell from another null.
    token_id = models.BigIntegerField()
    client = models.CharField(max_length=60)
    at = models.DateTimeField(db_index=True)
    project = models.CharField(max_length=200, blank=True)
    is_upload = models.BooleanField()
    refusal = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "user", "token_id", "client"],
                name="one_last_call_of_a_client",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client} of {self.user} in {self.repository}"


# Each exchange of a source reads those of all its publishers, whoever's they are.
_CLAIMS_AT_MOST = 2000
_REFS = "refs/"


def validate_claims(value: object) -> None:
    """Refuse what is no object of texts, or of more than a token has room for."""
    if not isinstance(value, dict) or not all(
        isinstance(each, str) and each and each.isprintable()
        for pair in value.items()
        for each in pair
    ):
        raise ValidationError('Give names and values of claims, such as {"sub": "1234"}.')
    if sum(len(each) for pair in value.items() for each in pair) > _CLAIMS_AT_MOST:
        raise ValidationError(f"Claims have at most {_CLAIMS_AT_MOST} characters in all.")


def _is_number(text: str) -> bool:
    """Say whether a text is a number, or nothing."""
    return not text or (text.isascii() and text.isdecimal())


class TrustedPublisher(models.Model):
    """CI that may publish a project of a repository without a secret (docs/decisions/0014)."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="publishers")
    normalized = models.CharField(
        "project",
        max_length=200,
        validators=[validate_project],
        help_text="Its normalised name; the project need not be there yet.",
    )
    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="publishers")
    source = models.CharField(
        max_length=500,
        help_text="GitHub: owner/repository. GitLab: the project's path. Google: the e-mail "
        "address. Others: the subject (sub).",
    )
    workflow = models.CharField(
        max_length=300,
        blank=True,
        help_text="GitHub: the workflow's file, such as release.yml. GitLab: the path of its "
        "configuration, such as .gitlab-ci.yml.",
    )
    environment = models.CharField(
        max_length=255, blank=True, help_text="Empty: any environment, or none."
    )
    ref = models.CharField(
        max_length=255,
        blank=True,
        help_text="Such as refs/heads/main or refs/tags/*; a star stands for any characters. "
        "Empty: any.",
    )
    claims = models.JSONField(
        default=dict,
        blank=True,
        validators=[validate_claims],
        help_text="Further claims, each of which must be there and equal.",
    )
    # A name that is let go and taken by others is not trusted, nor what is made again under it.
    owner_id = models.CharField(
        max_length=100,
        blank=True,
        help_text="The number of the account or group at its host. Empty: of the first that "
        "publishes.",
    )
    source_id = models.CharField(
        max_length=100,
        blank=True,
        help_text="The number of the repository, project or account at its host. Empty: of the "
        "first that publishes.",
    )
    created_at = models.DateTimeField(editable=False)
    # What was signed before says nothing of who has the name since.
    trusted_anew_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    tokens: models.ManyToManyField[PublishingToken, models.Model] = models.ManyToManyField(
        PublishingToken, related_name="publishers", editable=False
    )

    class Meta:
        ordering: ClassVar = ["repository", "normalized", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["issuer", "source"], name="publishers_of_a_source"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "repository",
                    "normalized",
                    "issuer",
                    "source",
                    "workflow",
                    "environment",
                    "ref",
                ],
                name="a_publisher_is_trusted_once",
                violation_error_message="The project trusts this publisher already.",
                violation_error_code="unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} for {self.repository}/{self.normalized}"

    @property
    def name(self) -> str:
        """Return how CI is called that fits: as the audit names it, but for an open environment."""
        parts = (self.source, self.workflow, self.environment)
        return called(self.issuer.kind, self.issuer.url, *parts)

    def clean(self) -> None:
        """Refuse what its issuer's claims could never fit, and write names as they compare."""
        if self.repository_id is None or self.issuer_id is None:
            return  # the form says so
        names = ("source", "workflow", "environment", "ref", "source_id")
        if odd := [name for name in names if not getattr(self, name).isprintable()]:
            raise ValidationError(dict.fromkeys(odd, "Give it without control characters."))
        if self.repository.kind != Kind.LOCAL:
            raise ValidationError("Only a local repository takes what a publisher uploads.")
        match Issuer.Kind(self.issuer.kind):
            case Issuer.Kind.GITHUB:
                self._clean_job()
                self._clean_github()
            case Issuer.Kind.GITLAB:
                self._clean_job()
            case Issuer.Kind.GOOGLE:
                self._refuse_what_is_not_told("workflow", "environment", "ref", "owner_id")
                self._clean_google()
            case Issuer.Kind.OTHER:
                names = ("workflow", "environment", "ref", "owner_id", "source_id")
                self._refuse_what_is_not_told(*names)

    def _clean_job(self) -> None:
        self.source = self.source.strip("/").lower()
        if "/" not in self.source:
            raise ValidationError({"source": "Give owner/repository, or a project's path."})
        if not self.workflow:
            raise ValidationError({"workflow": "Name the file that CI runs."})
        if not _is_number(self.owner_id):
            raise ValidationError({"owner_id": "Give the owner's number, not their name."})
        self._clean_number()
        self._clean_ref()

    def _clean_number(self) -> None:
        if not _is_number(self.source_id):
            raise ValidationError({"source_id": "Give its number, not its name."})

    def _clean_ref(self) -> None:
        start = re.split(r"[*?\[]", self.ref, maxsplit=1)[0]
        is_pattern = start != self.ref
        if start.startswith(_REFS) or (is_pattern and _REFS.startswith(start)) or not self.ref:
            return
        whole = f"{_REFS}{self.ref}"
        if not self.ref.startswith(("heads/", "tags/")):
            is_version = is_pattern or self.ref[-1].isdecimal()
            whole = f"{_REFS}{'tags' if is_version else 'heads'}/{self.ref}"
        raise ValidationError({"ref": f"A ref begins with {_REFS}: write {whole}."})

    def _clean_github(self) -> None:
        if self.source.count("/") > 1:
            raise ValidationError({"source": "Give owner/repository."})
        if "/" in self.workflow or not self.workflow.endswith((".yml", ".yaml")):
            raise ValidationError({"workflow": "Give a file's name alone: release.yml."})
        self.environment = self.environment.lower()

    def _clean_google(self) -> None:
        self.source = self.source.lower()
        try:
            validate_email(self.source)
        except ValidationError:
            told = "Give the service account's e-mail address."
            raise ValidationError({"source": told}) from None
        self._clean_number()

    def _refuse_what_is_not_told(self, *names: str) -> None:
        if said := [name for name in names if getattr(self, name)]:
            raise ValidationError(dict.fromkeys(said, "This issuer does not tell it."))
