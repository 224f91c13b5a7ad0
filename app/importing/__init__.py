"""Samples into a project: check every image, refuse bad ones by name and reason, keep going."""
