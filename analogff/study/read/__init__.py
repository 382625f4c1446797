"""From a study file to cases, with all its mistakes at once."""
