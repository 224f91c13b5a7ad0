"""Passes over many samples on several devices and machines; they use all other folders."""
