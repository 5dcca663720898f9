"""Migrations, queries, and the mappings between rows and the engine's records and state."""
