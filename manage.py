#!/usr/bin/env python3
"""Larder's command line: Django's commands and our own."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command, or say in plain lines which setting is wrong."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Larder cannot start.\n{error}")


if __name__ == "__main__":
    main()
