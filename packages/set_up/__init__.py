"""How each client is set up for a repository: one text for pages, docs and tests."""
