"""The HTTP client of gateways, with everything that can go wrong. Knows nothing about gateways."""
