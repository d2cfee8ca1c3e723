"""What changed between two releases: metadata, files, and what one should look at first."""
