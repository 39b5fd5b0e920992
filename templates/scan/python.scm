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
(assignment left: (identifier) @alias right: (call function: [(identifier) (attribute)] @path))
(module (expression_statement
  (assignment left: (identifier) @constant right: (string) @text)))
; class Settings: NAME = 'X'
(class_definition body: (block (expression_statement
  (assignment left: (identifier) @constant right: (string) @text))))

; os.environ.get('X', 'default')
(call function: [(identifier) (attribute)] @function arguments: (argument_list) @arguments) @read

; click.option("--x", envvar="X"), typer.Option(envvar=["X", "Y"])
((keyword_argument name: (identifier) @_k value: (_) @name)
  (#any-of? @_k "envvar" "env_var") (#not-match? @name "^[\\[(]|^None$") (#set! expression))
((keyword_argument name: (identifier) @_k value: [(list (_) @name) (tuple (_) @name)])
  (#any-of? @_k "envvar" "env_var") (#set! expression))
((argument_list
  (keyword_argument name: (identifier) @_k value: (string) @name)
  (keyword_argument name: (identifier) @_r value: (true)))
  (#any-of? @_k "envvar" "env_var") (#eq? @_r "required") (#set! required))
((argument_list
  (keyword_argument name: (identifier) @_r value: (true))
  (keyword_argument name: (identifier) @_k value: (string) @name))
  (#any-of? @_k "envvar" "env_var") (#eq? @_r "required") (#set! required))
((argument_list
  (keyword_argument name: (identifier) @_k value: (string) @name)
  (keyword_argument name: (identifier) @_d))
  (#any-of? @_k "envvar" "env_var") (#any-of? @_d "default" "default_factory") (#set! default))
((argument_list
  (keyword_argument name: (identifier) @_d)
  (keyword_argument name: (identifier) @_k value: (string) @name))
  (#any-of? @_k "envvar" "env_var") (#any-of? @_d "default" "default_factory") (#set! default))
; main(auto_envvar_prefix="X"): a variable for each option, under names that are made at run time.
((keyword_argument name: (identifier) @_k) @unknown (#any-of? @_k "auto_envvar_prefix" "auto_env_var_prefix"))
((pair key: (string) @_k) @unknown (#match? @_k "auto_envvar_prefix"))
; class Settings(BaseSettings): a variable for each field
(class_definition superclasses: (argument_list)) @class

; with env.prefixed("APP_"): env("X")
(with_statement
  (with_clause (with_item value: (call
    function: (_) @prefixer
    arguments: (argument_list . (_) @prefix))))
  body: (_) @prefixed
  (#match? @prefixer "prefixed$"))
(with_statement
  (with_clause (with_item value: (as_pattern (call
    function: (_) @prefixer
    arguments: (argument_list . (_) @prefix)))))
  body: (_) @prefixed
  (#match? @prefixer "prefixed$"))

; for name in os.environ: …; template.substitute(os.environ); "{X}".format(**os.environ)
(for_statement right: (_) @whole)
(for_in_clause right: (_) @whole)
(call function: (_) @_f arguments: (argument_list [(identifier) (attribute)] @whole)
  (#not-match? @_f "(^|[.])(dict|len|copy|deepcopy|isinstance|print|repr|str)$"))
(call function: (_) @_f arguments: (argument_list (dictionary_splat (_) @whole)) (#not-eq? @_f "dict"))
; partial(os.getenv), {**os.environ}, os.environ | {}, match os.environ, getattr(os, "environ"): whatever no other
; query explains is reported.
(attribute) @mention
((call function: (identifier) @_g arguments: (argument_list . (_) . (string))) @mention (#eq? @_g "getattr"))
(argument_list (identifier) @mention)
(keyword_argument value: (identifier) @mention)
(dictionary_splat (identifier) @mention)
(binary_operator (identifier) @mention)
(match_statement subject: (identifier) @mention)
(return_statement (identifier) @mention)
(pair value: (identifier) @mention)
(list (identifier) @mention)
(tuple (identifier) @mention)
; run(["x"], env=os.environ): a program gets it. os.environ.update(…) reads nothing.
((keyword_argument name: (identifier) @_n value: (_) @passed) (#eq? @_n "env"))
((call function: (attribute attribute: (identifier) @_m) @passed) (#any-of? @_m "update" "clear"))
((call function: (_) @_f arguments: (argument_list . (_) @passed))
  (#match? @_f "(^|[.])(patch[.]dict|delenv|setenv|delitem|setitem|len|isinstance|print|repr|str|bool|type|id)$"))
(if_statement condition: (_) @tested)
(decorator [(identifier) (attribute)] @unknown (#eq? @unknown "environ.config"))

; env = {**os.environ, "X": "y"}; env = os.environ | {}
(assignment left: (identifier) @alias right: (dictionary (dictionary_splat (_) @path)))
(assignment left: (identifier) @alias right: (binary_operator left: (_) @path operator: "|"))
(assignment left: (identifier) @alias right: (binary_operator operator: "|" right: [(identifier) (attribute)] @path))
; env = getattr(os, "environ"); env = copy.deepcopy(os.environ)
((assignment left: (identifier) @alias right: (call function: (identifier) @_g) @path) (#eq? @_g "getattr"))
((assignment left: (identifier) @alias right: (call function: (_) @_f arguments: (argument_list . [(identifier) (attribute)] @path .)))
  (#match? @_f "(^|[.])(copy|deepcopy)$"))
; env = dict(os.environ); def f(env=os.environ)
(assignment
  left: (identifier) @alias
  right: (call function: (identifier) @_d arguments: (argument_list . [(identifier) (attribute)] @path))
  (#eq? @_d "dict"))
[(default_parameter name: (identifier) @alias value: [(identifier) (attribute)] @path)
 (typed_default_parameter name: (identifier) @alias value: [(identifier) (attribute)] @path)
 (named_expression name: (identifier) @alias value: [(identifier) (attribute)] @path)]

; class Settings: env = os.environ: its entries are read through objects.
((class_definition body: (block (expression_statement
  (assignment left: (identifier) right: [(identifier) (attribute) (call)] @unknown))))
  (#match? @unknown "^((dict|copy|deepcopy|copy[.](copy|deepcopy))[(])?(os[.])?environb?([.]copy[(][)])?[)]?$"))
; os.system("echo $X"), subprocess.run("echo $X", shell=True): a shell reads the names.
((call function: (_) @_f arguments: (argument_list . (string) @unknown))
  (#match? @_f "^(os[.](system|popen)|subprocess[.]([a-z_]+|Popen)|(asyncio[.])?create_subprocess_shell)$")
  (#match? @unknown "[$][A-Za-z_{]"))
; subprocess.run(["sh", "-c", "echo $X"]), os.execlp("sh", "sh", "-c", "echo $X")
((call function: (_) @_f arguments: (argument_list . [
  (list (string) @_c . (string) @unknown)
  (tuple (string) @_c . (string) @unknown)]))
  (#match? @_f "(^|[.])(subprocess[.]([a-z_]+|Popen)|run|call|check_call|check_output|Popen)$")
  (#match? @_c "^[a-z]*['\"]-[a-z]*c['\"]$")
  (#match? @unknown "[$][A-Za-z_{]"))
((call function: (_) @_f arguments: (argument_list (string) @_c . (string) @unknown))
  (#match? @_f "(^|[.])(create_subprocess_exec|(exec|spawn)l[ep]*)$")
  (#match? @_c "^[a-z]*['\"]-[a-z]*c['\"]$")
  (#match? @unknown "[$][A-Za-z_{]"))

; os.environ['X']
(subscript value: [(identifier) (attribute) (subscript) (call)] @object subscript: (_) @key) @read
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
