"""What everything stands on: frozen values, checked fields, text, secrets. Imports nothing of
the package."""
