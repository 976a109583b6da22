"""One catalog for many machines: results of gateways as objects in a bucket, and one pointer.

Nothing here is imported unless `REGISTRY_CORE_SHARED` is set, and `obstore` only by `engine`.
"""
