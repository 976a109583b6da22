"""Find, import, check and call plugins. Independent of the purpose of the hooks."""
