"""Commands for development: what `make` calls. Nothing here ships or runs in production."""
