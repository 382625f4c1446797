"""Files to start from, as `analogff new` writes them."""
