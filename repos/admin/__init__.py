"""Repositories, grants, tokens and trusted publishers in the Django admin."""

from repos.admin import grants, publishers, repositories, tokens

__all__ = ["grants", "publishers", "repositories", "tokens"]
