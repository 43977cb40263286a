"""Load, render, package, upload, record as plain functions; a whole export without Dagster."""
