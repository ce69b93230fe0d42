"""Step 11: our connection is offered under Switch Providers, and the customer's switch is seen."""
