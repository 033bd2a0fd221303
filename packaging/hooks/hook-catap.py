"""The library that catap talks to Core Audio with, which nothing imports."""

from PyInstaller.utils.hooks import collect_dynamic_libs

binaries = collect_dynamic_libs("catap")
