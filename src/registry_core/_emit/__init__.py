"""Artifacts, and where they go. Knows snapshots and the plugin host, and nothing of syncs."""
