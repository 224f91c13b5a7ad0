"""Active learning on PyTorch Lightning Loops, Flash and BaaL; knows nothing of SQL or Streamlit."""

import warnings

# Lightning 1.9.5 says this whenever it is imported, and several modules here import it; a person at a terminal cannot
# act on it. Here, because this runs before any of them. setuptools is pinned below 81 for the same reason.
warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)
