"""One sync: ask, choose, merge, commit; joined, or repeated in the background."""
