"""Tests of the tables and the rules that the database keeps."""
