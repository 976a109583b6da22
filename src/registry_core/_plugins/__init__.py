"""Finding, importing, checking and calling plugins. Knows nothing of what the hooks are for."""
