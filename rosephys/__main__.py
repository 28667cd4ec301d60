"""`python -m rosephys`."""

import sys

from rosephys.cli import main

sys.exit(main())
