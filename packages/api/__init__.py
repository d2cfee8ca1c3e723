"""The REST door of what is inside: projects, releases, files, search and explain."""
