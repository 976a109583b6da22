"""Where and how to call a model, and which key may go there. Independent of syncs."""
