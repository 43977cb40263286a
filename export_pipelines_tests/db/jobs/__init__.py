"""Tests of the export jobs."""
