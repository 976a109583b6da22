"""Files: whose may decide, what is absent, damaged or refused for now, and writing them whole.

Imports `_base` and `errors`.
"""
