"""What data comes in and labels go out as: one file a format, read and write side by side."""
