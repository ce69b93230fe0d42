"""People settle what nobody else can: is it in the ERP, was it handled elsewhere, who is right."""
