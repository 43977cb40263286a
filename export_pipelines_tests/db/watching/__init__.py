"""Tests of watching jobs."""
