"""Pages for people about themselves, and the audit for those who administer a tenant."""

from __future__ import annotations

from django.urls import path, re_path

from base.slugs import SLUG_PATTERN
from repos.pages import account, audit, tokens

urlpatterns = [
    path("accounts/", account.account, name="account"),
    path("accounts/password/", account.password, name="password"),
    path("accounts/tokens/", tokens.own_tokens, name="tokens"),
    path("accounts/tokens/new/", tokens.new_token, name="new-token"),
    path("accounts/tokens/<int:pk>/", tokens.narrow, name="token"),
    path("accounts/logins/<int:pk>/revoke/", tokens.end_login, name="end-login"),
    path("accounts/tokens/<int:pk>/revoke/", tokens.revoke, name="revoke-token"),
    re_path(rf"^(?P<tenant>{SLUG_PATTERN})/-/audit/$", audit.audit_page, name="audit"),
]
