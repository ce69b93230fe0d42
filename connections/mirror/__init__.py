"""The ERP's chart, mirrored into Ramp: read, compared, uploaded, read back."""
