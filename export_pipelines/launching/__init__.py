"""Asking a running Dagster, over HTTP, to launch and to terminate runs; knows neither its Python API nor our tables."""
