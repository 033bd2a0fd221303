"""Its model, which it opens as a file beside its module."""

from PyInstaller.utils.hooks import collect_data_files

datas = collect_data_files("py3langid")
