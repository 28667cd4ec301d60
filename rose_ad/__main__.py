"""`python -m rose_ad`."""

import sys

from rose_ad.cli import main

sys.exit(main())
