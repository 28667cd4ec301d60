"""From Python to the IR: traced values and the functions that users call on them. Knows nothing of
derivatives."""

from . import operators as operators  # which installs what values are not defined with
