"""Studies: spec -> plan -> task -> execute -> store, in one direction, one file each."""
