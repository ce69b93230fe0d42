"""The error desk: what people decide about groups of errors, and what follows from it by itself."""
