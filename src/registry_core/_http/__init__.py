"""What a gateway is given: HTTP, with everything that can go wrong. Knows nothing of gateways."""
