"""Simulated chips: the physics behind the contract of `analogff.device`, and nothing about learning."""
