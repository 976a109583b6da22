"""One sync: ask the gateways, choose, merge, store, emit; at once or in the background."""
