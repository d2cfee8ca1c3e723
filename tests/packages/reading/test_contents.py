"""The members of an archive in one column."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from packages.reading import Member, MemberKind, packed_members, unpacked_members

MEMBERS = st.builds(
    Member,
    path=st.text(),
    size=st.integers(0, 2**60),
    kind=st.sampled_from(MemberKind),
    target=st.text(max_size=5),
)


@given(st.lists(MEMBERS).map(tuple))
def test_what_was_packed_comes_back(members: tuple[Member, ...]) -> None:
    assert unpacked_members(packed_members(members)) == members


def test_a_large_archive_takes_few_bytes() -> None:
    members = [Member(f"frog/deep/folder/module_{n}.py", n * 7) for n in range(100_000)]
    assert len(packed_members(members)) < 1_500_000
