"""Turn a team's PostgreSQL data into consistent, complete, reproducible, expiring, audited files."""
