"""Voxline: live captions. Importing this package loads no Qt, no Torch, no MLX and no engine.

It is what every process of ours imports first (window, command, worker, frozen or not), so this
is where libraries are told not to report to anybody, and not to take other cores for nothing,
before one of them can be imported.
"""

from app.one_thread import keep_to_one_thread
from app.privacy import keep_to_ourselves

__version__ = "0.1.0"

keep_to_ourselves()
keep_to_one_thread()
