"""From a CSV of measurements to the neurons or cells of a device."""
