"""How to call a model: where, in which dialect, with which key."""
