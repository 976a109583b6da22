"""The trusted certificates if REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE are not set."""

from __future__ import annotations

import ssl
from collections.abc import Mapping


def trusting(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Those in SSL_CERT_FILE and SSL_CERT_DIR and no others; without both, those of the system
    and of certifi: images may come without a store.

    Raises OSError, as `requests` does, if what is named can't be read.
    """
    file, folders = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if file or folders:
        try:
            return ssl.create_default_context(cafile=file or None, capath=folders or None)
        except OSError:
            pass
        raise OSError("SSL_CERT_FILE")
    import certifi
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    return context
