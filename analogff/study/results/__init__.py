"""Results on disk, and names in tables and figures."""
