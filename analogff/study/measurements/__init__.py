"""What is measured epoch by epoch beside the errors."""
