"""How large an archive, its parts and what it unpacks to may be, and why."""

MIB = 1024 * 1024

# The largest real ones (a change log as description) stay below 4 MiB.
MAX_METADATA = 16 * MIB
# The largest real wheels have some 30,000 members. More costs memory in us and inodes in clients.
MAX_MEMBERS = 100_000
# The largest real wheels (GPU libraries) unpack to about 4 GiB.
MAX_UNPACKED = 8 * 1024 * MIB
# Deflate reaches 1032:1 on zeros and 3:1 to 10:1 on what people ship. Small archives are let
# off: a few hundred kilobytes of test data may well be one repeated byte.
MAX_RATIO = 200
RATIO_FROM = 64 * MIB
# What tarfile reads at one go for one member: extended (pax) headers, long names, sparse maps.
MAX_TAR_HEADER = MIB
# Global pax headers stay for the rest of the archive; git writes one.
MAX_GLOBAL_HEADERS = 64
# A zip's directory is read at one go. 100,000 entries have 670 bytes each.
MAX_ZIP_DIRECTORY = 64 * MIB
