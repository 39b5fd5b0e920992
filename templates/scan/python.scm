; How Python names things and reads the environment. See docs/reference/scan.md for the captures.

; import os as o
(import_statement
  name: (aliased_import name: (dotted_name) @path alias: (identifier) @alias))
(import_statement name: (dotted_name) @import)
(import_statement name: (aliased_import name: (dotted_name) @import))

; from os import environ, getenv as g
(import_from_statement module_name: (_) @path name: (dotted_name) @member)
(import_from_statement
  module_name: (_) @path
  name: (aliased_import name: (dotted_name) @member alias: (identifier) @alias))
(import_from_statement module_name: (_) @import.from name: (dotted_name) @import)
(import_from_statement
  module_name: (_) @import.from
  name: (aliased_import name: (dotted_name) @import))
(import_from_statement module_name: (_) @import (wildcard_import))

; env = os.environ; env = environs.Env(); NAME = 'X'
(assignment left: (identifier) @alias right: [(identifier) (attribute)] @path)
(assignment left: (identifier) @alias right: (call function: (attribute) @path))
(module (expression_statement
  (assignment left: (identifier) @constant right: (string) @text)))
; class Settings: NAME = 'X'
(class_definition body: (block (expression_statement
  (assignment left: (identifier) @constant right: (string) @text))))

; os.environ.get('X', 'default')
(call function: [(identifier) (attribute)] @function arguments: (argument_list) @arguments) @read

; os.environ['X']
(subscript value: [(identifier) (attribute)] @object subscript: (_) @key) @read
(assignment left: (subscript value: [(identifier) (attribute)] @object subscript: (_) @key) @write)
(delete_statement (subscript) @except)

; 'X' in os.environ
(comparison_operator . (_) @key operators: ["in" "not in"] (_) @object .) @asked

; os.environ.get('X') or 'default'; os.environ['X'] if 'X' in os.environ else 'default'
(boolean_operator left: (_) @fallback operator: "or")

; try: os.environ['X'] except KeyError: …
(try_statement body: (block) @guarded (except_clause (identifier) @_error)
  (#any-of? @_error "KeyError" "LookupError" "Exception"))
(try_statement body: (block) @guarded
  (except_clause (as_pattern (identifier) @_error))
  (#any-of? @_error "KeyError" "LookupError" "Exception"))
(try_statement body: (block) @guarded (except_clause . (block)))

; def setting(name): return os.environ[name]
(function_definition name: (identifier) @wrapper parameters: (parameters) @parameters body: (_) @body)
