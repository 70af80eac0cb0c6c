"""A script that has Django: ``python -m tests.benchmarks.inside MODULE ARGS`` runs its main()."""

import sys
from importlib import import_module

import django

if __name__ == "__main__":
    django.setup()
    import_module(f"tests.benchmarks.{sys.argv[1]}").main(*sys.argv[2:])
