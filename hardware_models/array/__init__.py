"""What array devices are made of: crossbar, pulsed cells, neurons behind it, periphery, parameters."""
