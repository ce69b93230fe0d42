"""The customers' mappings as a book: what stands in it, who wrote what when, and how to undo it."""
