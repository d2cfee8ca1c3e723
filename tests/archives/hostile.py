"""All hostile uploads of the generator."""

from __future__ import annotations

from tests.archives.bad_forms import BAD_FORMS
from tests.archives.bad_members import BAD_MEMBERS
from tests.archives.bad_metadata import BAD_METADATA, BAD_NAMES
from tests.archives.bad_tars import BAD_TARS
from tests.archives.bad_wheels import BAD_WHEELS
from tests.archives.bad_zips import BAD_ZIPS

# What the archive gate alone refuses.
ARCHIVES = (*BAD_ZIPS, *BAD_MEMBERS, *BAD_TARS, *BAD_WHEELS, *BAD_METADATA, *BAD_NAMES)
# What needs a form to be sent with: names, digests, fields, and whatever disagrees with them.
FORMS = BAD_FORMS
