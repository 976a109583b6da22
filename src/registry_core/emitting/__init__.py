"""Artifacts, and getting them to where they go."""
