"""What a lookup reads: snapshots, the store on disk, the bundle in the wheel.

All that a lookup touches is here, in `_base`, and in the public modules of values. Imports
no other room: no plugin, no network, no settings file.
"""
