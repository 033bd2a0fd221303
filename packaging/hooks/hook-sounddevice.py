"""In place of the community's hook: the wheels for Windows and macOS hold PortAudio; on Linux it is
the computer's own, which fits its sound server."""

import sys

from PyInstaller.utils.hooks import collect_data_files

datas = collect_data_files("_sounddevice_data") if sys.platform != "linux" else []
