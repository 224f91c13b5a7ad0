"""What people touch: screens, command line, supervisor and the trainer process."""
