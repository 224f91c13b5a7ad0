"""Images to rows of numbers: pixels, a frozen backbone, one's own; and where the rows are kept."""
