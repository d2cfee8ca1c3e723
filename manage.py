#!/usr/bin/env python3
"""Larder's command line: Django's commands and our own."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, connection

_UNDEFINED_TABLE = "42P01"  # PostgreSQL's; SQLite has words alone


def main() -> None:
    """Run the command, or say in plain lines which setting is wrong, or that no Larder is there."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Larder cannot start.\n{error}")
    except DatabaseError as error:
        if not lacks_a_table(error):
            raise
        named = (connection.settings_dict["NAME"], connection.settings_dict["HOST"])
        where = " at ".join(filter(None, named))
        sys.exit(
            f"There is no Larder in {where} yet. Run `manage.py prepare` first, or are LARDER_HOME "
            "or LARDER_DATABASE_URL not set as for the server?"
        )


def lacks_a_table(error: DatabaseError) -> bool:
    """Say whether the database answered that it has no such table."""
    is_undefined = getattr(error.__cause__, "sqlstate", None) == _UNDEFINED_TABLE
    return is_undefined or str(error).startswith("no such table")


if __name__ == "__main__":
    main()
