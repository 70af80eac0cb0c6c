"""Leadgen's settings with DEBUG off, but without the need to collect static files first."""

from leadgen.settings import *  # noqa: F403

DEBUG = False
