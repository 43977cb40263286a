"""Frozen rows to bytes, one format a file; no disk, clock or network."""
