"""The project's file, and the variables of plugins. Commands and syncs read them, lookups
don't."""
