"""Devices, hosts, files and errors."""
