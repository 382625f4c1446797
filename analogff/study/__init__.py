"""A study: spec -> plan -> task -> execute -> store, one direction, one file each."""
