"""The URLs of the REST door about repositories and who may use them, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from base.slugs import SLUG_PATTERN
from repos.api import (
    account,
    audit,
    grants,
    issuers,
    logins,
    names,
    parts,
    people,
    repositories,
    service_accounts,
    teams,
    tenants,
    tokens,
)

REPOSITORY = rf"^repositories/(?P<tenant>{SLUG_PATTERN})/(?P<key>{SLUG_PATTERN})"
NUMBER = r"[0-9]{1,18}"
# A slash too few or too many is no other place.
END = r"(?:/)?$"
_TENANT = rf"^tenants/(?P<tenant>{SLUG_PATTERN})"
_OWN_INVITATION = rf"^me/invitations/(?P<tenant>{SLUG_PATTERN})"

urlpatterns: list[URLPattern] = [
    re_path(rf"^me{END}", tenants.Me.as_view()),
    re_path(rf"^me/password{END}", account.OwnPassword.as_view()),
    re_path(rf"^me/invitations{END}", account.OwnInvitations.as_view()),
    re_path(rf"{_OWN_INVITATION}/join{END}", account.Joining.as_view()),
    re_path(rf"{_OWN_INVITATION}/decline{END}", account.Declining.as_view()),
    re_path(rf"^audit{END}", audit.InstallationAudit.as_view()),
    re_path(rf"^repositories{END}", repositories.Repositories.as_view()),
    re_path(rf"{REPOSITORY}{END}", repositories.OneRepository.as_view()),
    re_path(rf"{REPOSITORY}/upstream{END}", parts.OneUpstream.as_view()),
    re_path(rf"{REPOSITORY}/members{END}", parts.VirtualMembers.as_view()),
    re_path(rf"{REPOSITORY}/merging{END}", parts.VirtualMerging.as_view()),
    re_path(rf"{REPOSITORY}/claims{END}", names.Claims.as_view()),
    re_path(rf"{REPOSITORY}/claims/(?P<pattern>[a-z0-9*-]+){END}", names.OneClaim.as_view()),
    re_path(rf"{REPOSITORY}/also-upstream{END}", names.AlsoUpstreams.as_view()),
    re_path(
        rf"{REPOSITORY}/also-upstream/(?P<project>[a-z0-9-]+){END}",
        names.OneAlsoUpstream.as_view(),
    ),
    re_path(rf"{REPOSITORY}/grants{END}", grants.Grants.as_view()),
    re_path(rf"{REPOSITORY}/grants/(?P<pk>{NUMBER}){END}", grants.OneGrant.as_view()),
    re_path(rf"^tokens{END}", tokens.Tokens.as_view(), name="rest-tokens"),
    re_path(rf"^tokens/(?P<pk>{NUMBER}){END}", tokens.OneToken.as_view()),
    re_path(rf"^logins{END}", logins.Logins.as_view(), name="rest-logins"),
    re_path(rf"^logins/(?P<pk>{NUMBER}){END}", logins.OneLogin.as_view()),
    re_path(rf"^access{END}", logins.Access.as_view(), name="rest-access"),
    re_path(rf"^logout{END}", logins.Logout.as_view()),
    re_path(rf"^issuers{END}", issuers.Issuers.as_view()),
    re_path(rf"^issuers/(?P<pk>{NUMBER}){END}", issuers.OneIssuer.as_view()),
    re_path(rf"^tenants{END}", tenants.Tenants.as_view()),
    re_path(rf"{_TENANT}{END}", tenants.OneTenant.as_view()),
    re_path(rf"{_TENANT}/audit{END}", audit.Audit.as_view()),
    re_path(rf"{_TENANT}/members{END}", people.TenantMembers.as_view()),
    re_path(rf"{_TENANT}/members/(?P<pk>{NUMBER}){END}", people.OneTenantMember.as_view()),
    re_path(rf"{_TENANT}/invitations{END}", people.Invitations.as_view()),
    re_path(
        rf"{_TENANT}/invitations/(?P<username>[A-Za-z0-9._@+-]+){END}",
        people.OneInvitation.as_view(),
    ),
    re_path(rf"{_TENANT}/teams{END}", teams.Teams.as_view()),
    re_path(rf"{_TENANT}/teams/(?P<name>{SLUG_PATTERN}){END}", teams.OneTeam.as_view()),
    re_path(rf"{_TENANT}/service-accounts{END}", service_accounts.ServiceAccounts.as_view()),
    re_path(
        rf"{_TENANT}/service-accounts/(?P<name>{SLUG_PATTERN}){END}",
        service_accounts.OneServiceAccount.as_view(),
    ),
    re_path(rf"^users{END}", people.Users.as_view()),
    re_path(rf"^users/(?P<username>[A-Za-z0-9._@+-]+){END}", people.OneUser.as_view()),
]
