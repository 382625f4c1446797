"""Tools for every room: atomic files, messages, fingerprints of source files, random draws."""
