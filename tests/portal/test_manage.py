"""`manage.py` where no Larder is yet: a shell without the server's variables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from manage import lacks_a_table
from tests.clients import ROOT


def test_a_command_without_tables_says_what_to_do_in_one_sentence(tmp_path: Path) -> None:
    known = {k: v for k, v in os.environ.items() if not k.startswith("LARDER_")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "create_user", "bob", "--tenant", "main"],
        env=known | {"LARDER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"There is no Larder in {tmp_path}/larder.sqlite3 yet. Run `manage.py prepare` first, or "
        "are LARDER_HOME or LARDER_DATABASE_URL not set as for the server?\n"
    )


@pytest.mark.parametrize(
    ("query", "lacks"),
    [("SELECT 1 FROM ponds", True), ("SELECT ponds FROM accounts_tenant", False)],
)
def test_a_missing_table_is_told_from_what_else_goes_wrong(
    db: None, query: str, lacks: bool
) -> None:
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as rows:
        rows.execute(query)
    assert lacks_a_table(caught.value) is lacks
