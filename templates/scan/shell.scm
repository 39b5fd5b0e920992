; How a shell names variables and reads them. See docs/reference/scan.md for the captures.

; $X, ${X}, ${X%…}
(simple_expansion (variable_name) @name)
(expansion (variable_name) @name)
(expansion (subscript name: (variable_name) @name))
; ${X:-default}, ${X-default}, ${X:=default}, ${X+set}
((expansion (variable_name) @name [":-" "-" ":=" "=" ":+" "+"]) (#set! default))
; ${X:?message}
((expansion (variable_name) @name [":?" "?"]) (#set! required))
; ${!X}
(expansion "!" (variable_name)) @unknown
(expansion "!" (variable_name) @except ["@" "*"])

; [[ -v X ]], [ -v X ], printenv X
((unary_expression operator: (test_operator) @_v (word) @name) (#eq? @_v "-v") (#set! default))
((command name: (command_name) @_c argument: (word) @name) (#eq? @_c "printenv"))

; $((X + 1)), ((X > 1)), for ((…)), let "X + 1", ${list[X]}, [[ X -gt 1 ]]: names without a $
(arithmetic_expansion) @arithmetic
(compound_statement "((") @arithmetic
(c_style_for_statement initializer: (_) @arithmetic)
(c_style_for_statement condition: (_) @arithmetic)
(c_style_for_statement update: (_) @arithmetic)
((command name: (command_name) @_c argument: (_) @arithmetic) (#eq? @_c "let"))
(subscript name: (variable_name) @array
  index: [(word) (binary_expression) (unary_expression) (postfix_expression) (parenthesized_expression)] @arithmetic)
((test_command "[[" (binary_expression left: (word) @arithmetic operator: (test_operator) @_o))
  (#any-of? @_o "-eq" "-ne" "-lt" "-le" "-gt" "-ge"))
; declare -A map: its subscripts are texts.
((declaration_command (word) @_f (variable_name) @associative) (#match? @_f "^-[a-zA-Z]*A"))
((declaration_command (word) @_f (variable_assignment name: (variable_name) @associative))
  (#match? @_f "^-[a-zA-Z]*A"))
; declare -n reference=X
((declaration_command (word) @_f (variable_assignment value: (word) @name)) (#match? @_f "^-[a-zA-Z]*n"))
((declaration_command (word) @_f
  (variable_assignment value: [(string) (raw_string) (simple_expansion) (expansion) (concatenation)] @unknown))
  (#match? @_f "^-[a-zA-Z]*n"))

; printenv "$name"; ${!PREFIX@}; eval "echo \$$name": names that are made at run time
((command name: (command_name) @_c argument: [(string) (raw_string)] @name)
  (#eq? @_c "printenv") (#set! expression))
((command name: (command_name) @_c argument: [(simple_expansion) (expansion) (concatenation)] @unknown)
  (#eq? @_c "printenv"))
((command name: (command_name) @_c argument: (_) @_a) @unknown
  (#eq? @_c "eval") (#match? @_a "\\\\[$]"))
; test -v X
((command name: (command_name) @_c argument: (word) @_v . argument: (word) @name)
  (#eq? @_c "test") (#eq? @_v "-v") (#set! default))

; envsubst < template: the names are in other files, or in its argument: envsubst '$A ${B}'.
((command) @substitution (#match? @substitution "envsubst"))
((command name: (command_name) @_c) @unknown
  (#any-of? @_c "gomplate" "dockerize" "confd" "consul-template" "j2" "jinja2" "esh" "renderizer"))

; sh -c 'echo $X'
((command) @script (#match? @script "(ba|da|a|k|z|\\b)sh\\s.*-[a-z]*c\\s"))
; trap 'rm "$X"' EXIT, alias x='echo $X', watch 'echo $X', su user -c 'echo $X'
((command name: (command_name) @_c) @script (#any-of? @_c "trap" "alias" "watch" "su" "runuser"))
; env | grep ^PREFIX_: all variables at once
((command) @unknown (#any-of? @unknown "env" "printenv" "export -p" "declare -x"))

; awk '{print ENVIRON["X"]}', jq 'env.X', perl -e '$ENV{X}': programs in another language
((command name: (command_name) @_c argument: [(raw_string) (string)] @unknown)
  (#match? @_c "(awk|jq|yq|perl|python[0-9.]*|ruby|node|php|lua)$")
  (#match? @unknown "ENVIRON|[$]ENV|[$]__prog_args|env[.(\\[]|strenv|os[.]environ|getenv|ENV[\\[{]"))

; What is set here is not read from the environment afterwards.
(variable_assignment name: (variable_name) @assigned)
(variable_assignment name: (subscript name: (variable_name) @assigned))
(for_statement variable: (variable_name) @assigned)
(declaration_command ["declare" "local" "typeset" "readonly"] (variable_name) @assigned)
((command name: (command_name) @_c argument: (word) @assigned)
  (#any-of? @_c "read" "mapfile" "readarray" "getopts"))
((command name: (command_name) @_c argument: (word) @_v . argument: (word) @assigned)
  (#eq? @_c "printf") (#eq? @_v "-v"))
; X=1 command: for that command alone.
(command (variable_assignment name: (variable_name) @except))

; A function runs when it is called: what is set anywhere is set by then.
(function_definition body: (_) @later)

; set -u: whatever has no value ends the script.
((command name: (command_name) @_c argument: (word) @strict)
  (#eq? @_c "set") (#match? @strict "^(-[a-zA-Z]*u[a-zA-Z]*|nounset)$"))

; . ./settings.sh
((command name: (command_name) @_c . argument: (_) @import)
  (#any-of? @_c "." "source"))
