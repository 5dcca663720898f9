"""Benchmarks: each compares with its ceiling or peer in the same run and prints one line a machine can read."""
