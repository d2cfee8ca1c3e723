"""Who calls: tenants, users and service accounts, memberships, teams, tokens, CI's issuers."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import urlsplit

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.roles import Role
from base.slugs import RESERVED_TENANT_SLUGS, SLUG_MAX_LENGTH, validate_slug

validate_username = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._@+-]*(/[a-z0-9][a-z0-9._-]*)?\Z",
    "Use letters, digits and . _ @ + -, and start with a letter or digit.",
)
# What a request's host may be called, in lower case (base.hosts).
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class Tenant(models.Model):
    """An organisation: its members, teams, repositories and quota."""

    slug = models.CharField(
        max_length=SLUG_MAX_LENGTH,
        unique=True,
        validators=[validate_slug],
        help_text="The first part of every URL of this tenant.",
    )
    name = models.CharField(max_length=200, blank=True, help_text="As people call it.")
    host_name = models.CharField(
        max_length=253,
        unique=True,
        null=True,
        blank=True,
        help_text="A host name that selects this tenant for URLs that do not name one.",
    )
    quota_bytes = models.BigIntegerField(
        null=True, blank=True, help_text="Storage for all its files, in bytes. Empty: no limit."
    )
    used_bytes = models.BigIntegerField(default=0, editable=False)
    quota_files = models.BigIntegerField(
        null=True, blank=True, help_text="How many files it may hold. Empty: no limit."
    )
    used_files = models.BigIntegerField(default=0, editable=False)

    class Meta:
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Refuse a slug that the portal's own URLs need, and what is no host name but empty."""
        if self.slug in RESERVED_TENANT_SLUGS:
            raise ValidationError({"slug": f"'{self.slug}' is a URL of the portal itself."})
        self.host_name = (self.host_name or "").lower() or None
        if self.host_name is not None and not _HOST_NAME.fullmatch(self.host_name):
            told = "Write it as packages.acme.example, without a scheme, a port or a path."
            raise ValidationError({"host_name": told})


class UserManager(BaseUserManager["User"]):
    """Finds users; making them is the business of `accounts.members`."""


class User(AbstractBaseUser):
    """A person, or a service account (`<tenant>/<name>`) that a tenant owns for its CI."""

    username = models.CharField(
        max_length=201,
        unique=True,
        validators=[validate_username],
        error_messages={
            "unique": (
                "This name is taken. Names are one for the whole installation: "
                "invite who has this one already."
            )
        },
    )
    full_name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    service_of = models.ForeignKey(
        Tenant,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="service_accounts",
        verbose_name="service account of",
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: every sign-in and token of theirs is refused."
    )
    is_superuser = models.BooleanField(
        "superuser", default=False, help_text="Runs the installation: tenants, users and quotas."
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering: ClassVar = ["username"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(service_of__isnull=True, username__regex=r"^[^/]*$")
                | models.Q(service_of__isnull=False, username__contains="/", is_superuser=False),
                name="a_slash_marks_a_service_account",
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def clean(self) -> None:
        """Keep names with a slash to service accounts, which are called after their tenant."""
        super().clean()
        if self.username and ("/" in self.username) != (self.service_of_id is not None):
            raise ValidationError(
                {"username": "A name with a slash is a service account's: tenant/name."}
            )

    @cached_property
    def places(self) -> dict[str, Membership]:
        """Return the user's memberships with their tenants, by the tenants' slugs in order.

        Asked once for a user object: one is made for each request, and another when work that took
        long asks again who the caller is (accounts.authentication.again). Where one is kept for
        longer (pypi.let_in), the access stamp says whether this is still so.
        """
        rows = self.memberships.select_related("tenant").order_by("tenant__slug")
        return {row.tenant.slug: row for row in rows}

    @property
    def administers(self) -> dict[int, str]:
        """Return id and slug of the tenants of which the user is an admin; a service of none."""
        if self.service_of_id is not None:
            return {}
        return {row.tenant_id: slug for slug, row in self.places.items() if row.is_admin}

    # Django's admin asks these of a user. Django's Permission and Group are not used: what
    # anybody may do in a repository is decided in repos.access alone.
    @property
    def is_staff(self) -> bool:
        """Say whether the user may enter the admin."""
        return self.is_active and (self.is_superuser or bool(self.administers))

    def has_perm(self, perm: str, obj: object = None) -> bool:  # noqa: ARG002 - Django's signature
        """Say whether the admin lets the user act on rows that no rule of ours speaks of."""
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002 - Django's signature
        """Say whether the admin shows the user an app that no rule of ours speaks of."""
        return self.is_active and self.is_superuser


class ServiceAccountManager(UserManager):
    """Finds the users that are service accounts."""

    def get_queryset(self) -> models.QuerySet[User]:
        """Return the service accounts alone."""
        return super().get_queryset().filter(service_of__isnull=False)


class ServiceAccount(User):
    """A user that is a tenant's service account, for lists that show no people."""

    objects: ClassVar[ServiceAccountManager] = ServiceAccountManager()

    class Meta:
        proxy = True


class Membership(models.Model):
    """A user's place in a tenant. Grants, team places and tokens hang on it and go with it."""

    class Kind(models.TextChoices):
        """What a member is to the tenant as a whole."""

        MEMBER = "member", "member"
        ADMIN = "admin", "tenant admin"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.MEMBER)

    class Meta:
        ordering: ClassVar = ["tenant__slug", "user__username"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "user"],
                name="one_membership_per_user_and_tenant",
                violation_error_message="This user is a member already.",
                violation_error_code="unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant}"

    def clean(self) -> None:
        """Keep a service account a plain member of the tenant that owns it."""
        if self.user_id is None:
            return  # the form says so
        owner = self.user.service_of_id
        if owner is not None and (owner != self.tenant_id or self.is_admin):
            raise ValidationError("A service account is a plain member of its own tenant.")

    @property
    def is_admin(self) -> bool:
        """Say whether the member administers the tenant."""
        return self.kind == self.Kind.ADMIN


class Invitation(models.Model):
    """A tenant's offer of membership to whoever signs in with a name, be there such a user or not.

    Nothing here, or in what becomes of it, tells the tenant whether there is.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="invitations")
    username = models.CharField(
        "user name",
        max_length=201,
        validators=[validate_username],
        help_text="Exactly as the user signs in.",
    )
    kind = models.CharField(
        max_length=10, choices=Membership.Kind.choices, default=Membership.Kind.MEMBER
    )
    invited_at = models.DateTimeField(editable=False)
    declined_at = models.DateTimeField(null=True, editable=False)  # the tenant is not told

    class Meta:
        ordering: ClassVar = ["tenant__slug", "username"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "username"],
                name="one_invitation_per_name_and_tenant",
                violation_error_message="This name is invited already.",
                violation_error_code="unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.username} to {self.tenant}"


class Team(models.Model):
    """A named set of a tenant's members."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(
        max_length=SLUG_MAX_LENGTH, validators=[validate_slug], help_text="For example: data"
    )
    members: models.ManyToManyField[Membership, models.Model] = models.ManyToManyField(
        Membership, related_name="teams", blank=True
    )

    class Meta:
        ordering: ClassVar = ["tenant__slug", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="one_team_per_name_and_tenant",
                violation_error_message="The tenant has a team of this name.",
                violation_error_code="unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant}/{self.name}"


class Token(models.Model):
    """A secret of one member in one tenant. It narrows what its owner may do, never widens it.

    Only a digest is stored; `accounts.tokens` makes the secret and checks it.
    """

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100, help_text="What it is for, e.g. laptop or CI.")
    identifier = models.CharField(max_length=8, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    role = models.PositiveSmallIntegerField(
        "at most", choices=Role.choices, default=Role.WRITER, help_text="The most it may do."
    )
    all_repositories = models.BooleanField(
        default=True, help_text="Off: only in the repositories named for it."
    )
    project_patterns = models.JSONField(
        default=list,
        blank=True,
        help_text='Projects it may publish, yank and delete, e.g. ["acme-*"]. Empty: all.',
    )
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.identifier})"


class Login(models.Model):
    """A person's sign-in with the larder command on one machine.

    Its refresh token, of which a digest is stored, brings access tokens and opens no other door
    (`accounts.logins`).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="logins")
    name = models.CharField(max_length=100, help_text="Where it was made, e.g. ann on laptop.")
    identifier = models.CharField(max_length=8, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    # Of the password at the time: with another one the login is over, as sessions are.
    password_mark = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.identifier})"


class SignInFailures(models.Model):
    """How often wrong credentials came for one account, or from one address, in one window.

    Counted in the database, because a guesser is answered by every process in turn.
    """

    subject = models.CharField(max_length=100, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} for {self.subject}"


class KeptAnswer(models.Model):
    """What was answered to a request that made something, for a client that sends it again.

    Kept for a day (`accounts.kept_answers`); a secret that an answer held is not in it.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="kept_answers")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)  # of the request, and of the token it came with
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    etag = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="a_user_uses_a_key_once"),
        ]

    def __str__(self) -> str:
        return f"answer {self.status} to {self.key}"


def validate_issuer_url(text: str) -> None:
    """Refuse what is no https URL that an issuer can be named by (OpenID Connect Discovery)."""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    has_more = any(each in text for each in "?#@\\ ") or not text.isprintable()
    if not is_one or has_more:
        raise ValidationError("Give the https:// URL of an issuer, as its tokens name it.")


def _overlooking(url: str) -> str:
    """Return an issuer's URL without slashes at its end, its host in lower case."""
    host, slash, path = url.partition("://")[2].partition("/")
    return f"{host.lower()}{slash}{path}".rstrip("/")  # each begins with https://


class Issuer(models.Model):
    """Who vouches for CI that publishes without a secret: an OpenID Connect provider."""

    class Kind(models.TextChoices):
        """How its claims are read (`accounts.identities`)."""

        GITHUB = "github", "GitHub"
        GITLAB = "gitlab", "GitLab"
        GOOGLE = "google", "Google"
        OTHER = "other", "OpenID Connect"  # any provider

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.OTHER)
    url = models.CharField(
        "URL",
        max_length=500,
        unique=True,
        validators=[validate_issuer_url],
        error_messages={
            "unique": "It is there already. Change that one: in the admin, or by REST."
        },
        help_text="Exactly as its tokens name it (iss), with or without a slash at the end. "
        "GitHub: https://token.actions.githubusercontent.com, GitLab: https://gitlab.com, Google: "
        "https://accounts.google.com.",
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: what it vouches for is refused."
    )
    private_allowed = models.BooleanField(
        "may have a private address",
        default=False,
        help_text="Tick it for an issuer inside your network.",
    )
    ca = models.TextField(
        "certificate authority",
        blank=True,
        help_text="In PEM form, when the usual ones do not vouch for it.",
    )

    class Meta:
        ordering: ClassVar = ["url"]

    def __str__(self) -> str:
        return self.url

    def clean(self) -> None:
        """Refuse a URL that is another's but for what people overlook: one of them is a mistake."""
        rows = Issuer.objects.values_list("url", flat=True)
        if rows.filter(pk=self.pk, url=self.url).exists():
            return  # it stays as it was, whatever has been added since
        for url in rows.exclude(pk=self.pk).exclude(url=self.url):
            if _overlooking(url) == _overlooking(self.url):
                told = (
                    f"{url} is there already. Correct that one if the tokens of this issuer name "
                    "it otherwise (iss)."
                )
                raise ValidationError({"url": told})


class UsedAssertion(models.Model):
    """What CI has shown once, and cannot show again (`repos.publishers`)."""

    issuer = models.ForeignKey(Issuer, on_delete=models.CASCADE, related_name="used_assertions")
    digest = models.CharField(max_length=64)
    until = models.DateTimeField(db_index=True)  # then it has expired, whoever's clock is right

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "digest"], name="an_assertion_is_used_once"),
        ]

    def __str__(self) -> str:
        return f"{self.digest[:8]} of {self.issuer_id}"


class PublishingToken(models.Model):
    """What CI got for an assertion: it publishes for some publishers, for a quarter of an hour.

    No user's: see docs/decisions/0014. `repos.models.TrustedPublisher` says what it is for.
    """

    issuer = models.ForeignKey(Issuer, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=200)  # who CI is, as its issuer says
    said = models.JSONField(default=dict)  # what else it says: `accounts.identities.Identity.facts`
    identifier = models.CharField(max_length=8, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    burnt_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"publishing token {self.identifier}"
