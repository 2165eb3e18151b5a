"""`python -m localspec` is the command `localspec`."""

import sys

from localspec.cli import main

sys.exit(main())
