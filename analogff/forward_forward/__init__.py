"""The pieces of Forward-Forward worth naming, each free to be combined with any other."""
