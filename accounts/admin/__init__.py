"""Tenants, people, memberships, teams and the audit in the Django admin."""

from accounts.admin import audit, memberships, people, teams, tenants

__all__ = ["audit", "memberships", "people", "teams", "tenants"]
