"""The trainer process: the one place where loops and storage meet."""

import loops  # noqa: F401 - first, because it silences what Lightning 1.9 says of pkg_resources when it is imported
