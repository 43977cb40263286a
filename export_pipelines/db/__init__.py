"""PostgreSQL: tables, queries, migrations, snapshots, the embedded server."""
