"""Commands for development, called by `make`; not part of the image."""
