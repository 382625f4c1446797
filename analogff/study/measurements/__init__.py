"""What is measured of chips besides their errors."""
