"""PyInstaller runs this for a program that imports registry_core: what the program needs beside
the modules that it finds by itself, which are the bundled snapshot and the installed plugins."""

from PyInstaller.utils.hooks import (  # pyright: ignore[reportMissingModuleSource]
    collect_data_files,
    collect_entry_point,
)

datas, hiddenimports = collect_entry_point("registry_core")
datas += collect_data_files("registry_core")
