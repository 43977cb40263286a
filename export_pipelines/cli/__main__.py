"""``python -m export_pipelines.cli`` is the command line too."""

from export_pipelines.cli.main import run

run()
