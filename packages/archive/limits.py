"""How large an archive, its parts and what it unpacks to may be, and why."""

MIB = 1024 * 1024

# Of what a file may have in its repository. Source text packs to a fifth, GPU libraries to a half.
UNPACKED_PER_FILE_LIMIT = 8
# Deflate reaches 1032:1 on zeros and 3:1 to 10:1 on what people ship. Small archives are let
# off: a few hundred kilobytes of test data may well be one repeated byte.
MAX_RATIO = 50
RATIO_FROM = 64 * MIB
# The largest real wheels have some 30,000 members. More costs memory in us and inodes in clients.
MAX_MEMBERS = 100_000
# Each tells its owner, times, attributes, or a long name; some microseconds go into every one.
MAX_TAR_RECORDS = 4 * MAX_MEMBERS
# Of one record of a zip. Times, owners, ZIP64, Unicode names and padding are some five.
MAX_EXTRA_FIELDS = 8
# A zip's directory, and all names and extended headers of a tar. The largest real ones have 5 MiB.
MAX_DIRECTORY = 16 * MIB
# Linux's PATH_MAX, with the NUL at its end.
MAX_PATH = 4095
# What is read at one go for one tar member: extended (pax) headers, long names.
MAX_TAR_HEADER = MIB
# Global pax headers stay for the rest of the archive; git writes one.
MAX_GLOBAL_HEADERS = 64
# The largest real ones (a change log as description) stay below 4 MiB.
MAX_METADATA = 8 * MIB
# 100,000 lines with a digest in each.
MAX_RECORD = 16 * MIB
# Some writers list folders too; more lines than that name nothing that is there.
MAX_RECORD_LINES = 2 * MAX_MEMBERS
# A path in quotes, each of them doubled, with a digest and a size.
MAX_RECORD_LINE = 2 * MAX_PATH + 256
MAX_ENTRY_POINTS = MIB
# The largest real ones have some hundreds of short lines.
MAX_ENTRY_POINT_LINES = 10_000
MAX_ENTRY_POINT_LINE = 4096
# The members of a larger wheel are held against the sizes in its RECORD only; hashing 256 MiB
# takes about a second.
HASHED_UP_TO = 256 * MIB
# What is let in and shown: enough to act on, never a second copy of the file.
MAX_FINDINGS = 20
MAX_FINDING = 400
# How much is read from the disk, or unpacked, at a time.
CHUNK = 64 * 1024
# What is unpacked of a tar to show a member of it to somebody who waits: a second or two.
PASSED_BYTES = 128 * MIB
PASSED_SECONDS = 5
