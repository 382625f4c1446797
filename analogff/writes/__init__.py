"""How a step lands on an array: digital changes, pulse trains, fast arrays beside a slow one, write-and-verify."""
