"""`python -m rosephys`."""

import sys

from rosephys.command.cli import main

sys.exit(main())
