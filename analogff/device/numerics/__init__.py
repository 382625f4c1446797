"""Arithmetic over banks of chips: products, reductions that no neighbor changes, counts, compiled loops."""
