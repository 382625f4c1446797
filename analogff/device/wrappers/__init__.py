"""Devices around devices: local fields, and classes that take another class's parameters beside their own."""
