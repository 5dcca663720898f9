"""Thin adaptors between sockets and the runtime: one file per resource, one route table."""
