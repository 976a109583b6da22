"""Finding, importing, checking and calling plugins."""
