"""What nodes of syntax trees are, by their types. A type means the same in every grammar."""

from __future__ import annotations

STRINGS = frozenset(
    {"string", "template_string", "plain_scalar", "double_quote_scalar", "single_quote_scalar",
     "block_scalar", "raw_string", "word", "concatenation", "concatenated_string", "string_scalar",
     "jsx_text", "regex", "heredoc_body", "ansi_c_string", "number", "command_name",
     "interpreted_string_literal", "raw_string_literal", "string_literal",
     "multiline_string_literal", "verbatim_string_literal", "interpolated_string_expression",
     "encapsed_string", "bare_string", "delimited_symbol", "simple_symbol", "heredoc", "nowdoc",
     "line_string_literal", "multi_line_string_literal"}
)  # fmt: skip
SEQUENCES = frozenset({"list", "array", "flow_sequence", "block_sequence", "tuple"})
#: Type of a node → its field with the key, and its fields with values. Without fields, the first
#: node in it is the key, and what follows are values. If nothing follows, there is no key.
KEYED = {
    "keyword_argument": ("name", ("value",)),
    "pair": ("key", ("value",)),
    "assignment": ("left", ("right", "type")),
    "augmented_assignment": ("left", ("right",)),
    "named_expression": ("name", ("value",)),
    "default_parameter": ("name", ("value",)),
    "typed_default_parameter": ("name", ("value", "type")),
    "typed_parameter": ("", ("type",)),
    "type_alias_statement": ("left", ("right",)),
    "variable_declarator": ("name", ("value", "type")),
    "assignment_expression": ("left", ("right",)),
    "augmented_assignment_expression": ("left", ("right",)),
    "assignment_pattern": ("left", ("right",)),
    "object_assignment_pattern": ("left", ("right",)),
    "required_parameter": ("pattern", ("value", "type")),
    "optional_parameter": ("pattern", ("value", "type")),
    "public_field_definition": ("name", ("value", "type")),
    "field_definition": ("property", ("value",)),
    "property_signature": ("name", ("type",)),
    "type_alias_declaration": ("name", ("value",)),
    "jsx_attribute": ("", ("",)),
    "block_mapping_pair": ("key", ("value",)),
    "flow_pair": ("key", ("value",)),
    "variable_assignment": ("name", ("value",)),
    "table": ("", ("",)),
    "table_array_element": ("", ("",)),
    "for_statement": ("left", ("right",)),
    "for_in_clause": ("left", ("right",)),
    "for_in_statement": ("left", ("right",)),
    "expansion": ("", ("",)),
    "enum_assignment": ("name", ("value",)),
    "enum_declaration": ("name", ("body",)),
    # Go
    "keyed_element": ("key", ("value",)),
    "const_spec": ("name", ("value",)),
    "var_spec": ("name", ("value",)),
    "short_var_declaration": ("left", ("right",)),
    "assignment_statement": ("left", ("right",)),
    # Java, Kotlin, C#, Swift
    "property_declaration": ("name", ("value", "computed_value")),
    "class_parameter": ("", ("",)),
    "parameter": ("name", ("",)),
    "argument": ("name", ("",)),
    "value_argument": ("name", ("value",)),
    # Ruby, PHP
    "operator_assignment": ("left", ("right",)),
    "keyword_parameter": ("name", ("value",)),
    "array_element_initializer": ("", ("",)),
    "const_element": ("", ("",)),
    "property_element": ("name", ("default_value",)),
    "property_promotion_parameter": ("name", ("default_value",)),
    "simple_parameter": ("name", ("default_value",)),
    # Rust
    "const_item": ("name", ("value",)),
    "static_item": ("name", ("value",)),
    "range_clause": ("left", ("right",)),
    "let_declaration": ("pattern", ("value",)),
    "field_initializer": ("field", ("value",)),
}
PAIRS = frozenset(
    {"pair", "block_mapping_pair", "flow_pair", "keyed_element", "array_element_initializer"}
)
#: Nodes with keys, signs and values in turn.
FLAT = frozenset(
    {"dictionary_literal", "token_tree", "anonymous_object_creation_expression", "infix_expression"}
)
SIGNS = frozenset({":", "=", "=>", "to"})
COMPARED = frozenset(
    {"comparison_operator", "binary_expression", "boolean_operator", "binary",
     "infix_expression", "nil_coalescing_expression", "equality_expression"}
)  # fmt: skip
CALLS = frozenset(
    {"call", "call_expression", "new_expression", "method_invocation", "invocation_expression",
     "object_creation_expression", "implicit_object_creation_expression", "macro_invocation",
     "function_call_expression", "member_call_expression", "nullsafe_member_call_expression",
     "scoped_call_expression"}
)  # fmt: skip
ARGUMENTS = frozenset(
    {"arguments", "argument_list", "value_arguments", "call_suffix", "token_tree"}
)
#: Functions without a name that may be the last argument of a call.
BLOCKS = frozenset({"annotated_lambda", "do_block", "block", "lambda_literal"})
MAPPINGS = frozenset(
    {"dictionary", "object", "block_mapping", "flow_mapping", "argument_list", "arguments",
     "table", "table_array_element", "inline_table", "document", "literal_value", "hash",
     "value_arguments", "array_creation_expression", "initializer_expression",
     "field_initializer_list", "lambda_literal", "class_parameters"}
)  # fmt: skip
ANNOTATIONS = frozenset({"annotation", "attribute_list", "attribute_item", "attribute_group"})
#: Values of a type, with its fields.
LITERALS = frozenset({"composite_literal", "struct_expression"})
#: Nodes with what is looked for.
CASES = frozenset(
    {"case_clause", "switch_case", "expression_case", "switch_label", "case_switch_label",
     "constant_pattern", "when_entry", "pattern", "match_pattern", "match_condition_list",
     "switch_pattern", "case_statement"}
)  # fmt: skip
SWITCHES = frozenset(
    {"match_statement", "switch_statement", "expression_switch_statement", "switch_expression",
     "when_expression", "match_expression", "case"}
)  # fmt: skip
#: Nodes that give one of several values.
ARMS = frozenset(
    {"match_arm", "switch_expression_arm", "when_entry", "switch_rule", "switch_entry",
     "match_conditional_expression", "match_default_expression", "switch_section",
     "switch_block_statement_group", "when"}
)  # fmt: skip
TYPES = frozenset(
    {"class_declaration", "class", "object_declaration", "enum_declaration", "enum_item", "module",
     "impl_item", "trait_declaration", "interface_declaration", "record_declaration",
     "struct_declaration"}
)  # fmt: skip
FUNCTIONS = frozenset(
    {"function_definition", "function_declaration", "method_definition", "arrow_function",
     "function_expression", "method_declaration", "function_item", "method", "singleton_method",
     "computed_property", "arrow_expression_clause"}
)  # fmt: skip
RETURNS = frozenset(
    {"return_statement", "arrow_function", "control_transfer_statement", "return_expression",
     "jump_expression", "arrow_expression_clause", "return"}
)  # fmt: skip
#: Nodes whose last node is what they give.
TAILS = frozenset(
    {"block", "body_statement", "statements", "function_body", "block_body", "then", "else"}
)
#: The nodes that end the search for a key.
ENDS = frozenset(
    {"program", "class_definition", "statement_block", "if_statement", "stream",
     "return_statement", "return", "modifiers", *FUNCTIONS, *TYPES}
)  # fmt: skip
#: Nodes in which a default follows its parameter.
PARAMETERS = frozenset({"function_declaration", "function_value_parameters", "init_declaration"})
#: Statements that give nothing.
SPENT = frozenset({"echo_statement", "jsx_attribute", "statement_block", "if_statement"})

#: Nodes with texts that may be alike: lists, …
LISTS = SEQUENCES | {
    "set", "expression_list", "type_parameter", "subscript", "literal_value", "string_array",
    "array_initializer", "initializer_expression", "collection_expression",
    "array_creation_expression", "array_expression", "array_literal", "token_tree",
}  # fmt: skip
#: … mappings, …
TABLES = frozenset(
    {"dictionary", "object", "block_mapping", "flow_mapping", "inline_table",
     "jsx_opening_element", "jsx_self_closing_element", "hash"}
)  # fmt: skip
#: Nodes with one value, and its field.
VALUES = {
    "pair": "value", "block_mapping_pair": "value", "flow_pair": "value", "assignment": "right",
    "variable_declarator": "value", "public_field_definition": "value",
    "field_definition": "value", "enum_assignment": "value", "jsx_attribute": "",
    "keyed_element": "value", "const_spec": "value", "var_spec": "value",
    "short_var_declaration": "right", "assignment_statement": "right", "let_declaration": "value",
    "const_item": "value", "static_item": "value", "property_declaration": "", "enum_entry": "",
    "enum_constant": "", "enum_case": "value", "const_element": "",
    "array_element_initializer": "", "assignment_expression": "right",
}  # fmt: skip
#: Those of them that are variables.
VARIABLES = frozenset(
    {"assignment", "variable_declarator", "const_spec", "var_spec", "short_var_declaration",
     "let_declaration", "const_item", "static_item", "property_declaration",
     "assignment_expression", "const_element"}
)  # fmt: skip
#: Nodes of which only the first node in them matters, …
WRAPPERS = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "literal_type", "type",
     "flow_node", "block_node", "block_sequence_item", "jsx_expression", "expression_statement",
     "literal_element", "collection_element", "expression_element", "reference_expression"}
)  # fmt: skip
#: … or only the last one.
TAILED = frozenset(
    {"composite_literal", "object_creation_expression", "implicit_object_creation_expression",
     "implicit_array_creation_expression", "variable_declaration", "field_declaration",
     "const_declaration", "value_argument", "argument"}
)  # fmt: skip
#: … and types, …
CLASSES = TYPES | {"class_definition", "mod_item"}
#: … whose fields are in these.
BODIES = frozenset(
    {"class_body", "enum_body", "block", "declaration_list", "enum_declaration_list",
     "enum_class_body", "body_statement"}
)  # fmt: skip
#: Arguments of calls, and of entries.
GIVEN = frozenset({"arguments", "argument_list", "value_arguments"})
#: Entries of enumerations, with arguments.
ENTRIES = frozenset({"enum_constant", "enum_entry"})
#: What a mapping begins with that is otherwise like a list.
PAIRED = PAIRS | {"assignment_expression"}
#: Nodes with one entry for each case, and others.
CHOICES = frozenset({"match_block", "when_expression", "switch_expression"})
#: Nodes that use a list at once, without a name for it.
USES = frozenset(
    {"for_in_clause", "for_statement", "for_in_statement", "comparison_operator", "call_expression",
     "member_expression", "attribute", "member_access_expression", "navigation_expression",
     "field_expression", "selector_expression", "invocation_expression", "method_invocation",
     "macro_invocation", "call", "foreach_statement", "enhanced_for_statement", "range_clause",
     "for_expression"}
)  # fmt: skip
