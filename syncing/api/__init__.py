"""What other programs call: our JSON API, and the receiver of Ramp's webhooks."""
