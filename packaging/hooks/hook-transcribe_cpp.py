"""The ggml engine's library is found through the entry point of the package that brings it, which
nothing imports."""

hiddenimports = ["transcribe_cpp_native"]
