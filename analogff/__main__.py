"""``python -m analogff`` is ``analogff``."""

from analogff.cli import main

if __name__ == "__main__":
    main()
