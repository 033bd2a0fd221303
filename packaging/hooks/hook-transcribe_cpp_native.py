"""The ggml engine's libraries, one for each kind of processor and one for Vulkan, in the folder in
which they look for each other; and the entry point by which they are found."""

import importlib.metadata
from pathlib import Path

from PyInstaller.utils.hooks import collect_data_files, collect_dynamic_libs

hiddenimports = ["transcribe_cpp_native._contract"]
binaries = collect_dynamic_libs("transcribe_cpp_native")
datas = collect_data_files("transcribe_cpp_native", subdir="_native", includes=["*.json"])
for file in importlib.metadata.files("transcribe-cpp-native") or ():
    if file.name == "entry_points.txt":
        datas.append((str(file.locate()), str(Path(str(file)).parent)))
