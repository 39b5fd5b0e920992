; How JavaScript names things and reads the environment. See docs/reference/scan.md for the captures.

; import {env as e} from 'node:process'; import * as p from 'process'; import p from 'process'
(import_statement
  (import_clause (named_imports (import_specifier name: (identifier) @member alias: (identifier) @alias)))
  source: (string) @path)
(import_statement
  (import_clause (named_imports (import_specifier name: (identifier) @member !alias)))
  source: (string) @path)
(import_statement (import_clause (namespace_import (identifier) @alias)) source: (string) @path)
(import_statement (import_clause (identifier) @alias) source: (string) @path)

; const e = process.env; const {env} = process; const {env: e} = process
(variable_declarator name: (identifier) @alias value: [(identifier) (member_expression)] @path)
(variable_declarator
  name: (object_pattern (shorthand_property_identifier_pattern) @member)
  value: [(identifier) (member_expression)] @path)
(variable_declarator
  name: (object_pattern (pair_pattern key: (property_identifier) @member value: (identifier) @alias))
  value: [(identifier) (member_expression)] @path)
; const p = require('process'); const {env} = require('process')
((variable_declarator
  name: (identifier) @alias
  value: (call_expression function: (identifier) @_r arguments: (arguments . (string) @path .)))
  (#eq? @_r "require"))
((variable_declarator
  name: (object_pattern (shorthand_property_identifier_pattern) @member)
  value: (call_expression function: (identifier) @_r arguments: (arguments . (string) @path .)))
  (#eq? @_r "require"))
; const NAME = 'X'
(program (lexical_declaration (variable_declarator name: (identifier) @constant value: (string) @text)))
(program (export_statement (lexical_declaration
  (variable_declarator name: (identifier) @constant value: (string) @text))))

; process.env.X, process.env['X'], Deno.env.get('X')
(member_expression object: (_) @object property: (property_identifier) @property) @read
(subscript_expression object: (_) @object index: (_) @key) @read
(call_expression function: [(identifier) (member_expression)] @function arguments: (arguments) @arguments) @read
; 'X' in process.env
(binary_expression left: (_) @key operator: "in" right: (_) @object) @asked

; const {X, Y: y, Z = 'default'} = process.env
(variable_declarator
  name: (object_pattern (shorthand_property_identifier_pattern) @property)
  value: (_) @object)
(variable_declarator
  name: (object_pattern (pair_pattern key: (property_identifier) @property value: (identifier)))
  value: (_) @object)
((variable_declarator
  name: (object_pattern (object_assignment_pattern left: (shorthand_property_identifier_pattern) @property))
  value: (_) @object)
  (#set! default))
((variable_declarator
  name: (object_pattern
    (pair_pattern key: (property_identifier) @property value: (assignment_pattern)))
  value: (_) @object)
  (#set! default))

; process.env.X = 'y'; delete process.env.X
(assignment_expression left: (member_expression object: (_) @object property: (property_identifier) @property) @write)
(assignment_expression left: (subscript_expression object: (_) @object index: (_) @key) @write)
(unary_expression operator: "delete" argument: (_) @except)

; process.env.X ?? 'default', process.env.X || 'default'
(binary_expression left: (_) @fallback operator: ["??" "||"])

; function setting(name) { return process.env[name] }
(function_declaration name: (identifier) @wrapper parameters: (_) @parameters body: (_) @body)
(variable_declarator
  name: (identifier) @wrapper
  value: (arrow_function parameters: (_) @parameters body: (_) @body))
