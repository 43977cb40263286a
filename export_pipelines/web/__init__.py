"""HTTP in front of stored exports."""
