"""Why is something that Ramp holds not in the ERP, and not here either? Asked, read, answered."""
