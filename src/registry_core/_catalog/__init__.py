"""What a lookup reads: snapshots, the store on disk, the bundle in the wheel.

A lookup uses only this room, `_base`, `_files` and the public modules of values: no plugin, no
network, no settings file.
"""
