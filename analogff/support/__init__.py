"""What every room may use: files that are there whole, messages, fingerprints of source files, random draws."""
