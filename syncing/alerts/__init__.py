"""Watch, tell, and stop telling: what the rules of `syncing.models.alerts` come to."""
