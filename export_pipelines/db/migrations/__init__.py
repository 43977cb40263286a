"""Alembic's environment and the migrations, written as the SQL that PostgreSQL gets."""
