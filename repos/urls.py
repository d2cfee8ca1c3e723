"""Pages for people about themselves: their account and their tokens."""

from __future__ import annotations

from django.urls import path

from repos.pages import account, tokens

urlpatterns = [
    path("accounts/", account.account, name="account"),
    path("accounts/password/", account.password, name="password"),
    path("accounts/tokens/", tokens.own_tokens, name="tokens"),
    path("accounts/tokens/new/", tokens.new_token, name="new-token"),
    path("accounts/tokens/<int:pk>/", tokens.narrow, name="token"),
    path("accounts/tokens/<int:pk>/revoke/", tokens.revoke, name="revoke-token"),
]
