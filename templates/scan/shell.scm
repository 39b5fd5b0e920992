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

; [[ -v X ]], [ -v X ], printenv X
((unary_expression operator: (test_operator) @_v (word) @name) (#eq? @_v "-v") (#set! default))
((command name: (command_name) @_c argument: (word) @name) (#eq? @_c "printenv"))

; envsubst < template: the names are in other files, or in its argument.
((command name: (command_name) @_c) @unknown (#eq? @_c "envsubst"))

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
