"""Leadgen captures leads and never loses one."""
