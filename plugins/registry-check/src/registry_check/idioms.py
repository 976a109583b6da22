"""Words and signs of the languages that are read without a grammar, as data."""

from __future__ import annotations

import re

#: Signs between a key and its value …
ASSIGNS = frozenset({"=", ":", ":=", "=>", "->", "<-", "<<-", "||=", "??=", "to", "\\\\"})
#: … of these, those before which a type may stand, too: `String model =`.
TYPED = frozenset({"=", ":=", "||=", "??=", "<-"})
ELSE = frozenset({"??", "?:", "||", "or"})
COMPARES = frozenset({"==", "!=", "===", "!==", "=~"})
JOINS = frozenset({"+", "..", "<>", "+="})
#: Language → the signs in the name of a member.
DOTS = {"php": ("->", "::"), "c": ("->", ".", "::"), "lua": (".", ":"), "r": ("$", "::")}
OTHER_DOTS = (".", "?.", "::", "!!")
#: What may stand between a key and its value.
SKIPPED = frozenset(
    {"return", "await", "new", "&", "*", "const", "yield", "then", "else", "do", "in", "throw",
     "%", "@"}
)  # fmt: skip
CONTROL = frozenset(
    {"if", "else", "match", "switch", "when", "unless", "for", "foreach", "while", "try", "catch",
     "do", "loop", "unsafe", "guard", "case", "get", "finally"}
)  # fmt: skip
CHOICES = frozenset({"match", "switch", "when"})
TYPES = frozenset(
    {"enum", "class", "struct", "object", "interface", "module", "trait", "record", "extension",
     "namespace", "defmodule", "impl"}
)  # fmt: skip
FUNCTIONS = frozenset({"func", "fn", "fun", "def", "defp", "function", "sub", "throws"})
#: Languages in which a word before a text may be a setting: `model "x"`, `@model "x"`, `-Model x`.
BARE = frozenset({"ruby", "elixir", "groovy", "powershell"})
IMPORTS = frozenset({"import", "use", "package", "include"})
#: Functions that give what people read, by parts of their names.
SHOWN = re.compile(r"(?i)display|title|label|description|friendly|human|pretty|caption|icon")
DEFAULT_KEYS = frozenset({"default", "default_value", "defaultvalue", "unset"})
EQUALS = frozenset({"equals", "equalsignorecase", "eql", "equal", "isequaltostring"})
#: Methods that are named after what they make: `ModelId.of`.
FACTORIES = frozenset({"new", "of", "from", "create", "parse", "valueof", "init"})
#: Calls that give their argument, or a mapping or list of their arguments.
SAME = re.compile(
    r"(?:string|str|ptr|f|some|newopt|opt|just|optional|c|dict|hash|tuple|pair|lazy|raw|value|vec"
    r"|ofentries|custom|\w*(?:list|set|map|array|vector|seq)(?:_?of)?)"
)
#: Calls whose last argument is a default. What they look up, or are called on, says for what.
DEFAULTS = re.compile(
    r"\w*getenv\w*|env\w*|get_?env\w*|fetch|get\w*or\w*|get|getproperty|getvalue|config|setting"
    r"|(?:unwrap_?)?or(?:_?else(?:_?get)?|_?default)?|value_or|if_?empty|if_?blank|default_?if_?\w+"
    r"|requirenonnullelse|coalesce|firstnonnull|lookup\w*|var_or|option|cmp|setdefault|default"
)
#: Calls whose first text, which may follow a context, is a model.
CALLS = re.compile(
    r"(?:Get|As|Use|New)?I?(?:Chat|Embedding|Image|Audio|Responses?|Assistant)s?Client"
    r"|(?:Add|With)\w*(?:ChatCompletion|ChatClient|TextGeneration|Embedding\w*|TextCompletion)\w*"
    r"|(?i:generate_?content\w*|(?:embed|batch_?embed)_?contents?|count_?tokens)"
    r"|\w*(?:Chat|Completion|Llm|LLM)\w*Request|AgentBuilder|agent|extractor|using"
)
#: Calls that only say their argument, look for it in a text, or name a test with it.
SAID = re.compile(
    r"\w*print\w*|puts|p|echo|log\w*|trace|debug\w*|info\w*|warn\w*|error\w*|fatal\w*|panic\w*"
    r"|write\w*|has_?(?:prefix|suffix)|\w*contains\w*|starts?_?with|ends?_?with|index_?of|str_\w+"
    r"|strpos|sub|gsub|split|replace\w*|match\w*|include|named|uiimage|image|fail|assert\w*"
    r"|expect\w*|require|displayname|tag|describe|it|test|run|import"
)
