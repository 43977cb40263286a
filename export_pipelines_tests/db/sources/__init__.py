"""Tests of the projections that exports read."""
