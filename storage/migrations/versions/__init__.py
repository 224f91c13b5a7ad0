"""One file per schema version; a released file is never changed."""
