"""The page of a project and of each of its releases: read it, install it, see what it needs."""
