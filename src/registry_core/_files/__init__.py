"""Files: which owners are trusted; whether a file is absent, damaged or unreadable for now; and
atomic writing. Imports `_base` and `errors`.
"""
