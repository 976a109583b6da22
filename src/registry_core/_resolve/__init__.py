"""Where and how to call a model, and which key may go there. Knows nothing of syncs."""
