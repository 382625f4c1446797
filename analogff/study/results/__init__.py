"""Results on disk, and what things are called in tables and figures."""
