"""Configuration: the typed settings tree, its loader, and the data files that become commands."""
