"""How fast Larder is, beside its peers and beside files that nginx gives out: `make bench`."""
