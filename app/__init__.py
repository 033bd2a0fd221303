"""Voxline: live captions. Importing this package loads no Qt, no Torch, no MLX and no engine."""

__version__ = "0.1.0"
