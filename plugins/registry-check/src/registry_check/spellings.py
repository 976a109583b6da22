"""How models, providers and keys are written in code, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: What libraries write before a model's name → our ids of providers, the likeliest first.
PREFIXES: Mapping[str, tuple[str, ...]] = {
    "ai21_chat": ("ai21",),
    "azure_ai": ("azure", "azure-cognitive-services"),
    "azure_openai": ("azure",),
    "azure-openai": ("azure",),
    "azureopenai": ("azure",),
    "azure_text": ("azure",),
    "aws": ("amazon-bedrock",),
    "aws_bedrock": ("amazon-bedrock",),
    "bedrock": ("amazon-bedrock",),
    "bedrock-runtime": ("amazon-bedrock",),
    "bedrock_converse": ("amazon-bedrock",),
    "bedrockconverse": ("amazon-bedrock",),
    "claude": ("anthropic",),
    "codestral": ("mistral",),
    "cohere_chat": ("cohere",),
    "dashscope": ("alibaba",),
    "fireworks": ("fireworks-ai",),
    "fireworks_ai": ("fireworks-ai",),
    "gemini": ("google",),
    "genai": ("google",),
    "generativeai": ("google",),
    "google-generativeai": ("google",),
    "google-gla": ("google",),
    "google-genai": ("google",),
    "google_genai": ("google",),
    "google_ai": ("google",),
    "googleai": ("google",),
    "google-vertex": ("google-vertex", "google-vertex-anthropic"),
    "google_anthropic_vertex": ("google-vertex-anthropic", "google-vertex"),
    "google_vertexai": ("google-vertex", "google-vertex-anthropic"),
    "grok": ("xai",),
    "meta_llama": ("llama", "meta"),
    "mistralai": ("mistral",),
    "moonshot": ("moonshotai",),
    "nvidia_nim": ("nvidia",),
    "openai-chat": ("openai",),
    "openai-responses": ("openai",),
    "openai_like": (),
    "openai_responses": ("openai",),
    "text-completion-openai": ("openai",),
    "together": ("togetherai",),
    "together_ai": ("togetherai",),
    "togetherai": ("togetherai",),
    "vercel_ai_gateway": ("vercel",),
    "vertex": ("google-vertex", "google-vertex-anthropic"),
    "vertex_ai": ("google-vertex", "google-vertex-anthropic"),
    "vertex_ai_beta": ("google-vertex", "google-vertex-anthropic"),
    "vertexai": ("google-vertex", "google-vertex-anthropic"),
    "x-ai": ("xai",),
    "xai": ("xai",),
    "watsonx": ("watsonx",),
}
#: What may precede such a prefix, and has no meaning here.
WRAPPERS = re.compile(
    r"(?:(?:chat|messages|responses|completion|embeddings?|image|realtime):|gateway/|litellm_proxy/|litellm/|converse/|invoke/|publishers/[a-z]+/models/|models/"
    r"|(?:eu|us|global)/)+"
)
#: Forms of names that only one provider uses.
FORMS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (
        re.compile(
            r"(?:(?:us|eu|ap|apac|au|ca|jp|global|us-gov)\.)?"
            r"(?:ai21|amazon|anthropic|cohere|deepseek|meta|minimax|mistral|moonshot|nvidia|openai"
            r"|qwen|stability|twelvelabs|writer|zai)\.[a-z][\w.-]*(?::\d+[\w:]*)?"
        ),
        ("amazon-bedrock",),
    ),
    (
        re.compile(r"[a-z][\w.-]*@(?:20\d{6}|default|latest|00\d)"),
        ("google-vertex-anthropic", "google-vertex"),
    ),
)
#: Form of a model's name → its maker, if the maker alone decides when it is shut off. Models with
#: open weights have many providers, so they are not here.
MAKERS: tuple[tuple[str, str], ...] = (
        (r"(?:chatgpt|gpt)-(?!oss|neo|j\b|35-)[\w.-]*\d[\w.-]*|o[134](?:-(?:mini|pro|preview|deep"
         r"-research)[\w.-]*|-20\d\d-\d\d-\d\d)?|(?:text|code)-(?:davinci|curie|babbage|ada|cushman)"
         r"-\d+|text-embedding-(?:ada|3)-?\w+|(?:davinci|babbage)-002|whisper-1|tts-1(?:-hd)?"
         r"|dall-e-[23]|sora-\d[\w.-]*|omni-moderation-[\w-]+", "openai"),
        (r"claude-[\w.-]*\d[\w.-]*|claude-instant", "anthropic"),
        (r"gemini-[\w.-]*\d[\w.-]*|gemini-pro(?:-vision)?|(?:text|chat)-bison(?:-\d+)?", "google"),
        (r"open-(?:mistral|mixtral|codestral)-[\w.-]+|(?:mistral|codestral|ministral|magistral"
         r"|pixtral|devstral)-(?:tiny|small|medium|large|latest|\d{4}|\d+b)[\w.-]*", "mistral"),
        (r"command-(?:r|a|light|nightly)[\w.-]*", "cohere"),
        (r"grok-[\w.-]*\d[\w.-]*|grok-beta", "xai"),
        (r"deepseek-(?:chat|coder|reasoner)", "deepseek"),
        (r"sonar(?:-(?:small|medium|large|pro|reasoning|deep)[\w.-]*)", "perplexity"),
)  # fmt: skip
#: Parts of names of these makers, also mistyped ones.
VAGUE = re.compile(
    r"sonnet|opus|haiku|turbo|flash|claud|cluade|gem{1,2}in|gemen|gmini|^(?:gp|gt)-?[345]|^g(?:pt|tp)-?\d|^chat-?gpt|mistral"
    r"|codestral|command-|grok|deepsek|deepseek"
)
#: Every text that VAGUE or MAKERS match holds one of these. ("o1" does so after a provider.)
STEMS = (
    "sonnet", "opus", "haiku", "turbo", "flash", "claud", "cluade", "gemin", "gemmin", "gemen",
    "gmini", "gpt", "gtp", "gp-", "gt-", "gp3", "gp4", "gp5", "gt3", "gt4", "gt5", "o1-", "o3-",
    "o4-", "/o1", "/o3", "/o4", ":o1", ":o3", ":o4", "text-", "code-", "embedding-", "moderation-",
    "davinci", "babbage-", "whisper-1", "dall-e", "tts-1", "sora-", "bison", "mistral",
    "mixtral", "codestral", "stral-", "pixtral-", "command-", "grok", "deeps", "sonar",
)  # fmt: skip
MAKER_IDS = frozenset(maker for _, maker in MAKERS)
#: Catalogs of chat models leave these out, so an unlisted one may exist.
UNLISTED = re.compile(
    r"whisper|tts|dall-e|image|imagen|audio|realtime|live|transcribe|moderation|sora|veo|lyria"
    r"|embed|rerank|search|research|computer-use|codex|aqa|gemma|ocr|voxtral|instruct|vision"
    r"|codegemma|medlm|guard"
)
#: The end of an id with a version, which the catalog may not list separately.
DATED = re.compile(
    r"[-@](?:20\d\d-?\d\d-?\d\d|\d\d-\d\d(?:-20\d\d)?|\d\d-20\d\d|\d{4}|00\d|latest)$|@default$"
)
#: Words in names of tests and templates, which are not models.
PLACEHOLDER = re.compile(
    r"(?:^|[-_/.:@])(?:test(?:ing)?|fake|mock(?:ed)?|dummy|example|sample|foo|bar|baz|custom|my"
    r"|your|placeholder|model|unknown|invalid|non-?existent|nonexisting|bogus|some|x{2,}|xyz|abc"
    r"|wrong|bad|future|new|old|does-not-exist|not-a|typo)(?:\d*)(?:$|[-_/.:@])",
    re.IGNORECASE,
)
#: The end of the name of a file or host, which no model has.
FILE = re.compile(
    r"\.(?:bin|bz2|com|css|csv|db|dev|docx?|fbx|gif|glb|gltf|gguf|go|gz|html?|ico|internal|io|ipynb"
    r"|java|jpe?g|jsonl?|jsx?|local|log|mdx?|mp[34]|net|obj|onnx|org|parquet|pdf|pem|pkl|ply|png|pth?"
    r"|py|rb|rs|rst|safetensors|sh|sql|sqlite|stl|svg|tar|tgz|toml|tsv|tsx?|txt|usdz|wav|webp|xml"
    r"|ya?ml|zip)$"
)
#: Providers where users name the models, or which have more models than a catalog lists.
OPEN = frozenset(
    {"azure", "azure-cognitive-services", "baseten", "clarifai", "cloudflare-ai-gateway",
     "cloudflare-workers-ai", "databricks", "deepinfra", "fireworks-ai", "huggingface", "lmstudio",
     "local", "modal", "netlify", "novita-ai", "nvidia", "ollama", "ollama-cloud", "replicate",
     "sap-ai-core", "siliconflow", "snowflake-cortex", "togetherai", "vercel", "watsonx"}
)  # fmt: skip

#: Host → providers, in addition to hosts that the registry knows.
HOSTS: Mapping[str, tuple[str, ...]] = {
    "api.openai.com": ("openai",),
    "api.anthropic.com": ("anthropic",),
    "generativelanguage.googleapis.com": ("google",),
    "aiplatform.googleapis.com": ("google-vertex", "google-vertex-anthropic"),
    "openai.azure.com": ("azure",),
    "services.ai.azure.com": ("azure",),
    "models.inference.ai.azure.com": ("azure",),
    "bedrock-runtime": ("amazon-bedrock",),
    "api.mistral.ai": ("mistral",),
    "api.groq.com": ("groq",),
    "api.cohere.com": ("cohere",),
    "api.cohere.ai": ("cohere",),
    "api.x.ai": ("xai",),
    "api.deepseek.com": ("deepseek",),
    "api.together.xyz": ("togetherai",),
    "api.perplexity.ai": ("perplexity",),
    "openrouter.ai": ("openrouter",),
    "localhost:": ("local",),
    "127.0.0.1:": ("local",),
}
#: Name of an imported module or package → providers. `{}` is one of `PREFIXES`, or a provider.
IMPORTS = re.compile(
    r"""(?mx)
    ^[ \t]*(?:>>>[ \t]*)?(?:from|import)[ \t]+
        (?P<python>[\w.]+(?:[ \t]*,[ \t]*[\w.]+)*)
    | (?:from|import|require\(|import\()[ \t]*["'](?P<script>[@\w./-]+)["']
    """
)
PACKAGES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), providers)
    for pattern, providers in (
        (r"@anthropic-ai/bedrock-sdk", "amazon-bedrock"),
        (r"@anthropic-ai/vertex-sdk", "google-vertex"),
        (r"@anthropic-ai/", "anthropic"),
        (r"@google/(?:genai|generative-ai)", "google"),
        (r"@google-cloud/vertexai|vertexai(?:\.|$)", "google-vertex"),
        (r"google\.(?:genai|generativeai)", "google"),
        (r"google\.cloud\.aiplatform", "google-vertex"),
        (r"@aws-sdk/client-bedrock|boto3|aioboto3", "amazon-bedrock"),
        (r"@mistralai/", "mistral"),
        (r"cohere-ai", "cohere"),
        (r"(?:transformers|vllm|sentence_transformers|huggingface_hub|diffusers|ollama|llama_cpp"
         r"|mlx_lm|torch|unsloth|peft|outlines)(?:\.|$)|@huggingface/|@xenova/", "local"),
    )
)  # fmt: skip
#: Packages with the name of the provider, or with a name that ends in it.
NAMED_PACKAGE = re.compile(
    r"(?:@ai-sdk/|@langchain/|langchain_|llama_index\.(?:llms|embeddings)\.|@llamaindex/"
    r"|langchain(?:_community)?\.(?:chat_models|llms|embeddings)\.|pydantic_ai\.models\."
    r"|semantic_kernel\.connectors\.ai\.|haystack_integrations\.components\.generators\."
    r"|agno\.models\.|autogen_ext\.models\.)?([\w-]+)"
)

#: Words in names of keys, keywords and variables that hold a model …
MODEL_WORDS = frozenset({"model", "models", "engine", "engines", "deployment", "deployments"})
#: … the words that may follow them …
MODEL_ENDS = frozenset(
    {"name", "names", "id", "ids", "default", "fallback", "fallbacks", "primary", "secondary",
     "small", "large", "fast", "slow", "cheap", "smart", "main", "list", "choices", "options",
     "string", "slug", "override", "value", "prices", "pricing", "costs", "cost", "limits", "limit",
     "map", "mapping", "aliases", "alias", "tokens", "windows", "window", "sizes", "context",
     "available", "supported", "allowed", "chat", "text", "embedding", "vision", "tier", "set",
     "to", "price", "by", "max", "min", "input", "output", "schema", "enum", "literal",
     "info", "infos", "pointers", "capabilities", "features", "profile", "profiles", "metadata",
     "specs", "versions", "families", "catalog", "registry", "config", "configs", "settings",
     "combo", "box", "dropdown", "picker", "selector", "spinner", "selection",
     "placeholder", "encoding", "encodings", "rates", "labels", "data", "details"}
)  # fmt: skip
#: … and the last words of names that hold several models.
MANY = frozenset(
    {"models", "engines", "deployments", "prices", "pricing", "costs", "limits", "map", "mapping",
     "aliases", "names", "ids", "tokens", "windows", "sizes", "choices", "options", "available",
     "supported", "allowed", "list", "fallbacks", "set", "schema", "enum", "literal", "info",
     "infos", "pointers", "capabilities", "features", "profile", "profiles", "metadata", "specs",
     "versions", "families", "catalog", "registry", "configs", "encoding", "encodings", "rates",
     "labels", "data", "details"}
)  # fmt: skip
#: Keys in the mapping of one model that hold its name.
NAME_KEYS = frozenset(
    {"name", "id", "slug", "model", "default", "primary", "fallback", "fallbacks", "value",
     "small", "large", "fast", "smart", "cheap", "main", "modelid", "model_id", "main_model",
     "options", "choices", "enum", "examples", "const"}
)  # fmt: skip
ROUGH_WORDS = frozenset({"llm", "llms", "lm"})
ROUGH_ENDS = ROUGH_WORDS | {"name", "id", "choices", "options", "default", "fallback", "fallbacks"}
#: Last words of names of options and variables for a model that rates what others say.
JUDGES = frozenset(
    (word,) for word in ("judge", "judges", "grader", "graders", "scorer", "evaluator")
)
#: Words in the name of a list whose entries may look like models, but are something else.
LIST_DECOYS = frozenset(
    {"banned", "blocked", "dead", "denied", "deprecated", "disabled", "excluded", "forbidden",
     "legacy", "obsolete", "removed", "retired", "sunset", "unsupported",
     "article", "articles", "badge", "badges", "bin", "branch", "branches", "bucket", "buckets",
     "categories", "category", "channel", "channels", "class", "classes", "cluster", "clusters",
     "collection", "collections", "color", "colors", "column", "columns", "command", "commands",
     "css", "depends", "deps", "directories", "dirs", "docs", "domain", "domains", "drop",
     "emoji", "emojis", "env", "environments", "event", "events", "experiment", "experiments",
     "extras", "feature", "features", "flag", "flags", "folders", "glossary", "groupby", "guides",
     "host", "hosts", "hue", "icon", "icons", "ids", "items", "key", "keys", "keyword", "legend",
     "logo", "logos", "loop", "markers", "melt", "members", "metrics", "nav", "needs", "network",
     "networks", "order", "page", "pages", "pattern", "patterns", "permissions", "pivot", "pool",
     "post", "posts", "prefix", "prefixes", "project", "projects", "queue", "queues", "regions",
     "reindex", "rename", "repos", "results", "role", "roles", "run", "runs", "script", "scripts",
     "selector", "selectors", "series", "services", "sidebar", "slug", "slugs", "stages",
     "suffix", "suffixes", "suite", "suites", "tab", "table", "tables", "tabs", "tag", "tags",
     "term", "terms", "test", "testid", "testids", "testpaths", "tests", "theme", "themes",
     "titles", "topic", "url", "urls", "users", "vars", "volumes", "winner", "words",
     "workspaces", "xticklabels", "yticklabels", "zone", "zones"}
)  # fmt: skip
#: Words in keys of a mapping with values of different meanings.
RECORD = frozenset({"name", "id", "title", "label", "type", "kind", "version", "description"})
#: Keys beside a name that show that a container, a file, a test or a page has this name.
THING = frozenset(
    {"image", "command", "path", "file", "filename", "url", "href", "src", "branch", "tag", "repo",
     "repository", "uses", "container", "steps", "runs-on", "run", "slug", "to", "replicas", "port",
     "ports", "schedule", "email", "author", "date"}
)  # fmt: skip
#: Words in keys of texts for people, of names of hosts, files and users.
SAID = frozenset(
    {"alt", "anchor", "answer", "basename", "caption", "cassette", "comment", "content", "for",
     "from", "heading", "hint", "hostname", "layout", "message", "namespace", "note", "outdir",
     "permalink", "prompt", "save", "stem", "subdir", "subpath", "summary", "tooltip", "username"}
)  # fmt: skip
#: Attributes of JSX whose values may be models if those of the elements beside it are.
JSX_VALUES = frozenset({"value", "model"})
#: Attributes of JSX with the choice of the user, in a component that is named after models.
JSX_CHOSEN = frozenset({"value", "defaultValue", "initialValue"})
#: What follows "model" in the name of a function that returns the name of a model.
FOR = frozenset({"for", "by", "of", "from"})
#: Keys beside a "model" which show that it is something else.
STRANGE_SIBLINGS = frozenset(
    {"make", "brand", "manufacturer", "vin", "mileage", "horsepower", "serial", "sku",
     "pk", "year", "fuel", "doors", "license_plate", "firmware", "imei", "serial_number",
     "serialnumber", "engine_size"}
)  # fmt: skip
#: Keys beside a "model" which show that it is a language model.
KIN = frozenset(
    {"messages", "temperature", "max_tokens", "maxtokens", "max_output_tokens", "maxoutputtokens",
     "prompt", "system", "system_prompt", "systemprompt", "instructions", "top_p", "topp", "tools",
     "api_key", "apikey", "base_url", "baseurl", "provider", "llm_provider", "model_provider",
     "max_completion_tokens", "reasoning_effort", "frequency_penalty", "stream", "input",
     "response_format", "api_base", "temperature_c"}
)  # fmt: skip
PROVIDER_KEYS = frozenset(
    {"provider", "vendor", "llm_provider", "model_provider", "modelprovider", "providerid",
     "provider_id", "custom_llm_provider", "llmprovider", "provider_name", "providername",
     "api_type", "llm_type", "backend", "client", "sdk", "_type", "service"}
)  # fmt: skip
URL_KEYS = frozenset(
    {"base_url", "baseurl", "api_base", "apibase", "url", "endpoint", "azure_endpoint", "host",
     "openai_api_base", "api_url", "base_uri", "azureendpoint"}
)  # fmt: skip
#: Keys whose values look like full ids, but are something else.
DECOY_WORDS = frozenset(
    {"image", "images", "repo", "repository", "repositories", "uses", "package", "packages",
     "dependency", "dependencies", "path", "paths", "file", "files", "filename", "href", "src",
     "container", "registry", "branch", "dir", "directory", "folder", "dataset", "datasets",
     "import", "imports", "maintainer", "maintainers", "authors", "owner", "owners", "contributors",
     "reviewers", "team", "tokenizer", "checkpoint", "license", "author",
     "external", "externals", "exclude", "ignore", "keywords", "tags", "topics", "title", "label",
     "labels", "description", "text", "family", "placeholder"}
)  # fmt: skip
#: Functions whose first argument is the name of a model, by the last part of their names.
CALLS = re.compile(
    r"(?i:init_?chat_?model|get_?model|(?:generative|language|embedding|chat|image|speech)_?model"
    r"|\w*(?:openai|anthropic|gemini|google|mistral|groq|cohere|bedrock|converse|vertex|xai|azure)"
    r"\w*(?:model|llm|chat)|chat(?:openai|anthropic|google\w*|vertexai|mistralai|groq|cohere"
    r"|bedrock\w*|xai|deepseek|fireworks|together|perplexity|ollama|litellm)"
    r"|encoding_for_model|resolve|model_id|infer_model|a?completion|a?embedding"
    r"|(?:async|azure)?(?:openai|anthropic|mistralai|groq|cohere)|claude|gemini|deepseek"
    r"|(?:get|create|make|load|build)_?(?:chat_?)?(?:llm|model)|llm_?factory"
    r"|litellmmodel|text_?embedding_?model|num_tokens_from_\w+|model_supports|chatmodel)"
    r"|LM|LLM|Agent|Lm"
)
#: Those of these functions whose first argument may be something else.
LOOSE_CALLS = frozenset(
    {"Agent", "resolve", "getModel", "get_model", "create_model", "createModel", "load_model",
     "loadModel", "make_model", "build_model"}
)  # fmt: skip
#: Factories of the AI SDK, named after the provider.
FACTORIES = re.compile(
    r"(openai|anthropic|google|vertex|mistral|xai|groq|azure|bedrock|cohere|deepseek|perplexity"
    r"|togetherai|fireworks|cerebras|openrouter|gateway|createOpenAI|vertexAnthropic|ell)"
    r"(?:\.(?:chat|responses|completion|languageModel|embedding|textEmbedding|textEmbeddingModel"
    r"|image|speech|transcription|call|simple|complex))?"
)
#: Functions of Google's client. Other functions of this name load files.
VERTEX_CALLS = re.compile(
    r"(?:\w+\.)*((?:Text|Code|Chat|CodeChat|Multimodal)?(?:Generation|Chat|Embedding)Model)\.from_pretrained"
)
#: Functions of the AI SDK that make such a factory, which is called at once.
CREATED = re.compile(r"create([A-Z]\w+)\(.*\)(?:\.\w+)?", re.DOTALL)
#: Functions that give a default for a value of the environment, or of a form.
TRANSPARENT_CALLS = frozenset(
    {"field", "option", "argument", "choices", "getenv", "get", "env", "str", "setdefault",
     "add_argument", "config", "cast", "literal", "default", "enum", "frozenset", "set", "tuple",
     "list", "optional", "describe", "secretstr", "param", "mappingproxytype", "dict", "freeze",
     "textinput", "selectbox", "parametrize", "setenv", "putenv", "stubenv", "setitem", "pop",
     "usestate", "useref", "ref", "query", "body", "form", "header", "cookie",
     "signal", "dropdown", "radio", "combobox", "select", "charfield", "textfield", "column",
     "mapped_column"}
)  # fmt: skip
#: Keywords with a text that explains an option.
HELP = frozenset({"help", "description", "epilog", "usage"})
#: Functions that make a list, or choose from one.
LIST_CALLS = TRANSPARENT_CALLS | {
    "each", "fixture", "fromkeys", "choice", "map", "union", "cycle", "product", "sorted",
    "readonly", "multiselect", "select_slider", "checkboxgroup", "asliteral",
}  # fmt: skip
#: Methods that add a choice to what is called.
ADDS = frozenset({"add", "add_item", "additem", "append", "push"})
#: Functions whose arguments are the entries of a list.
LISTS_OF = re.compile(r"of|asList|(?i:\w*(?:list|set|array)of)")
#: Methods of a list or set that look for their argument in it.
MEMBERSHIP = frozenset({"includes", "indexOf", "has", "contains"})
#: Programs whose `-m` is a model.
M_PROGRAMS = frozenset({"llm", "codex", "claude", "gemini", "mods", "aichat", "sgpt", "opencode"})
#: Methods that search in a text, so their argument is a part of a name.
PARTIAL_CALLS = frozenset(
    {"startswith", "endswith", "startsWith", "endsWith", "includes", "match", "replace", "split",
     "indexOf", "removeprefix", "removesuffix", "search", "find", "test", "strip", "lstrip",
     "from_pretrained", "hf_hub_download", "snapshot_download", "load_dataset", "pipeline",
     "count", "contains", "getLogger", "get_logger", "print", "log",
     "info", "warn", "warning", "error", "debug"}
)  # fmt: skip
TRANSPARENT_KEYS = frozenset(
    {"default", "value", "defaultvalue", "default_value",
     "rename", "default_factory", "examples", "choices", "enum", "const", "options", "or",
     "primary", "fallback", "fallbacks", "args", "command"}
)  # fmt: skip
#: Methods that are named after what they make: `ModelId.of`.
MAKES = frozenset({"new", "of", "from", "create", "parse", "valueof", "init"})
#: Calls that give their argument, or a mapping or list of their arguments.
SAME_CALLS = re.compile(
    r"string|ptr|f|some|opt|just|vec!?|array|ofentries|entry|custom|init|of"
    r"|(?!in_)\w*(?:list|set|map|array|vector)(?:_?of)?"
)
#: Calls whose last argument is a default. What they look up, or are called on, says for what.
ELSE_CALLS = re.compile(
    r"\w*getenv\w*|env\w*|get_?env\w*|fetch|get\w*or\w*|getproperty|getvalue|setting"
    r"|(?:unwrap_?)?or(?:_?else(?:_?get)?|_?default)?|if_?empty|if_?blank|let|default"
    r"|coalesce|get_?option|attribute|define"
    r"|require_?non_?null_?else"
)
#: Functions that take a model, maybe after a context.
ASKS = re.compile(
    r"(?:Get|As|Use|New)?I?(?:Chat|Embedding|Image|Audio|Responses?|Assistant)s?Client"
    r"|(?:Add|With)\w*(?:ChatCompletion|ChatClient|TextGeneration|Embedding\w*|TextCompletion)\w*"
    r"|(?i:generate_?content\w*|(?:embed|batch_?embed)_?contents?|count_?tokens)"
    r"|\w*(?:Completion|Llm|LLM)\w*Request|AgentBuilder|agent|extractor|using"
)
EQUALS = frozenset({"equals", "equalsignorecase", "eql"})
#: Functions that give what people read, by parts of their names.
SHOWN = re.compile(r"display|title|label|description|friendly|human|pretty|caption|icon")
#: Functions whose first argument is the name of a file or of code.
LOADS = frozenset({"require", "require_relative", "patch"})
