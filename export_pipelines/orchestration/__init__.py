"""Dagster: config, resources, ops, jobs, sensors, and how they are assembled."""
