"""The rule for the names that stand in our URLs: tenants' slugs and repositories' keys."""

from __future__ import annotations

from django.core.validators import RegexValidator

SLUG_PATTERN = r"[a-z0-9][a-z0-9._-]*"
SLUG_MAX_LENGTH = 100

# First path segments that the portal itself answers; no tenant may be called so.
RESERVED_TENANT_SLUGS = frozenset(
    {"accounts", "admin", "api", "artifactory", "pypi", "search", "static"}
)
# `/artifactory/<key>/...` shares its level with Artifactory's own API.
RESERVED_REPOSITORY_KEYS = frozenset({"api", "pypi"})

validate_slug = RegexValidator(
    rf"\A{SLUG_PATTERN}\Z",
    "Use lower-case letters, digits, '.', '_' and '-', and start with a letter or digit.",
)
