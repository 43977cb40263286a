"""Tests of watching jobs over HTTP."""
