"""What every view of the REST door is made of: who calls, what was sent, pages, versions, keys."""
