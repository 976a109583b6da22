"""About bundled.snapshot beside this file. Written by tools/make_bundle.py; do not edit."""

CAPTURED = {"models.dev": 1790553600.0, "netlify": 1790553600.0}
PLUGINS = {
    "models.dev": "registry-gateway-models-dev:models-dev",
    "netlify": "registry-gateway-netlify:netlify",
}
SOURCES = {
    "models.dev": "models.dev, MIT",
    "netlify": "Netlify AI Gateway",
}
