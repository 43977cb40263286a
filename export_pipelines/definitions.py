"""The code location that ``workspace.yaml`` names."""

from export_pipelines.orchestration.build import build_definitions

defs = build_definitions()
