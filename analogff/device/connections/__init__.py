"""How the lines of a layer are connected to arrays of cells, one topology a file."""
