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

; ({X, Y} = process.env); const {env: {X}} = process
(assignment_expression
  left: (object_pattern (shorthand_property_identifier_pattern) @property)
  right: (_) @object)
(assignment_expression
  left: (object_pattern (pair_pattern key: (property_identifier) @property))
  right: (_) @object)
; function f({X} = process.env) {}
(assignment_pattern
  left: (object_pattern (shorthand_property_identifier_pattern) @property)
  right: (_) @object)
(assignment_pattern
  left: (object_pattern (pair_pattern key: (property_identifier) @property))
  right: (_) @object)
(variable_declarator
  name: (object_pattern (pair_pattern
    key: (property_identifier) @_e
    value: (object_pattern (shorthand_property_identifier_pattern) @name)))
  value: (_) @_p
  (#eq? @_e "env") (#match? @_p "(process|Bun|meta)(['\"`]\\))?$"))
(variable_declarator
  name: (object_pattern (pair_pattern
    key: (property_identifier) @_e
    value: (object_pattern (pair_pattern key: (property_identifier) @name))))
  value: (_) @_p
  (#eq? @_e "env") (#match? @_p "(process|Bun|meta)(['\"`]\\))?$"))
; const {['X']: x} = process.env; const {'X': x} = process.env
(variable_declarator
  name: (object_pattern (pair_pattern key: (computed_property_name (_) @key)))
  value: (_) @object)
(variable_declarator
  name: (object_pattern (pair_pattern key: (string) @key))
  value: (_) @object)
; const {X, ...rest} = process.env; const env = {...process.env}
(variable_declarator
  name: (object_pattern (rest_pattern (identifier) @alias))
  value: [(identifier) (member_expression)] @path)
(variable_declarator
  name: (identifier) @alias
  value: (object (spread_element [(identifier) (member_expression)] @path)))
; function f(env = process.env) {}
(assignment_pattern left: (identifier) @alias right: [(identifier) (member_expression)] @path)
; const e = process['env']
(variable_declarator name: (identifier) @alias value: (subscript_expression) @path)

; for (const name in process.env) {}; schema.parse(process.env); Object.keys(process.env)
(for_in_statement right: (_) @whole)
(call_expression arguments: (arguments . (_) @whole .))
(call_expression
  function: (_) @_f
  arguments: (arguments . (_) @whole . [(identifier) (member_expression) (call_expression)])
  (#not-match? @_f "assign$"))
; Whatever no other query explains is reported: new Map(Object.entries(process.env)), return process.env
(member_expression) @mention
(subscript_expression) @mention
(spread_element (identifier) @mention)
(pair value: (identifier) @mention)
(return_statement (identifier) @mention)
; spawn("x", {env: process.env}): a program gets it.
((pair key: (property_identifier) @_k value: (_) @passed) (#eq? @_k "env"))
; exec("echo $X"), spawn("sh", ["-c", "echo $X"]): a shell reads the names.
((call_expression function: (_) @_f arguments: (arguments . (string) @unknown))
  (#match? @_f "^([a-zA-Z_]*([cC]hild_?[pP]rocess|cp)[.])?exec(Sync)?$")
  (#match? @unknown "[$][A-Za-z_{]"))
((call_expression function: (_) @_f arguments: (arguments (array (string) @_c . (string) @unknown)))
  (#match? @_f "(^|[.])(spawn|execFile)(Sync)?$")
  (#match? @_c "^['\"]-[a-z]*c['\"]$")
  (#match? @unknown "[$][A-Za-z_{]"))
; if (process.env), process.env && process.env.X, typeof process.env
(binary_expression left: (_) @tested operator: "&&")
(unary_expression argument: (_) @tested)
(parenthesized_expression (_) @tested)
; Reflect.get(process.env, "X"), Object.hasOwn(process.env, "X")
((call_expression function: (_) @_f arguments: (arguments . (_) @object . (_) @key) @read)
  (#match? @_f "^Reflect[.](get|has)$|[.]hasOwn$|hasOwnProperty[.]call$|[.]getOwnPropertyDescriptor$"))
; const env = Object.assign({}, process.env)
((variable_declarator
  name: (identifier) @alias
  value: (call_expression function: (_) @_f arguments: (arguments (_) (_) @path)))
  (#eq? @_f "Object.assign"))
; cleanEnv(process.env, {X: str()})
(call_expression arguments: (arguments
  . (_) @object
  . (object (pair key: (property_identifier) @property))))
; convict({port: {default: 1, env: 'X'}}); Flags.string({env: 'X'})
((object
  (pair key: (property_identifier) @_d)
  (pair key: (property_identifier) @_e value: (string) @name))
  (#any-of? @_d "default" "doc" "format") (#eq? @_e "env") (#set! default))
((object
  (pair key: (property_identifier) @_e value: (string) @name)
  (pair key: (property_identifier) @_d))
  (#any-of? @_d "default" "doc" "format") (#eq? @_e "env") (#set! default))
((call_expression
  function: (member_expression object: (identifier) @_o)
  arguments: (arguments . (object (pair key: (property_identifier) @_e value: (string) @name))))
  (#any-of? @_o "Flags" "flags" "Args") (#eq? @_e "env"))
; new Option('--x').env('X'); yargs.env('PREFIX'), env.get('X') of an object that is not known here
((call_expression
  function: (member_expression object: (_) @_o property: (property_identifier) @_e)
  arguments: (arguments . (_) @name .))
  (#eq? @_e "env") (#match? @_o "Option\\(") (#set! expression))
((call_expression
  function: (member_expression object: (_) @_o property: (property_identifier) @_e)
  arguments: (arguments . (_) .)) @unknown
  (#eq? @_e "env") (#match? @_o "yargs"))

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
