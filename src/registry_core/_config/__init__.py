"""What commands and syncs go by, beyond the table of `settings`: the project's file, and the
variables of plugins. Lookups read neither."""
