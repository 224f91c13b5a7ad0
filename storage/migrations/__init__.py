"""Alembic's folder; storage/schema.py runs it, nobody calls alembic by hand."""
