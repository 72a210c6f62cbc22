"""Recipes: what is decided about a drug line once, for one row and for millions, before any amount is known."""
