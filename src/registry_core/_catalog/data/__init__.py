"""About bundled.snapshot beside this file, written by tools/make_bundle.py."""

#: Gateway id → epoch seconds of the capture.
CAPTURED = {"models.dev": 1790553600.0, "netlify": 1790553600.0}
#: Gateway id → key of its plugin.
PLUGINS = {
    "models.dev": "registry-gateway-models-dev:models-dev",
    "netlify": "registry-gateway-netlify:netlify",
}
#: Gateway id → where the data came from.
SOURCES = {
    "models.dev": """models.dev (MIT), from npm's opencode-linux-x64 1.18.33""",
    "netlify": """Netlify AI Gateway, from npm's @mastra/core 1.71.0""",
}
