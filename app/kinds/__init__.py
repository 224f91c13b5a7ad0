"""Kinds of sample: what is admitted at import, how it is loaded, shown and copied. Imports no torch."""
