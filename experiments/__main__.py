"""``python -m baimo.experiments`` is the command ``baimo``."""

import sys

from baimo.experiments.cli import main

if __name__ == "__main__":
    sys.exit(main())
