; How Go names things and reads the environment. See docs/reference/scan.md for the captures.

; import o "os"
(import_spec name: (package_identifier) @alias path: (_) @path)
; get := os.Getenv
(short_var_declaration
  left: (expression_list . (identifier) @alias .)
  right: (expression_list . (selector_expression) @path .))
; const name = "X"
(const_spec name: (identifier) @constant . value: (expression_list . (_) @text .))
(const_spec name: (identifier) @constant type: (_) value: (expression_list . (_) @text .))

; os.Getenv("X")
(call_expression
  function: [(identifier) (selector_expression)] @function
  arguments: (argument_list) @arguments) @read

; `env:"X,required" envDefault:"y"`
(field_declaration tag: (_) @tag)

; viper.AutomaticEnv(), envconfig.Process("app", &settings): names that are made at run time
((call_expression function: (selector_expression field: (field_identifier) @_f)) @unknown
  (#eq? @_f "AutomaticEnv"))
((call_expression function: (selector_expression operand: (identifier) @_o field: (field_identifier) @_f)) @unknown
  (#eq? @_o "envconfig") (#any-of? @_f "Process" "MustProcess"))

; &cli.StringFlag{EnvVars: []string{"X"}}
((keyed_element
  (literal_element (identifier) @_k)
  (literal_element (composite_literal body: (literal_value (literal_element (interpreted_string_literal) @name)))))
  (#any-of? @_k "EnvVars" "EnvVar"))
((keyed_element
  (literal_element (identifier) @_k)
  (literal_element (interpreted_string_literal) @name))
  (#eq? @_k "EnvVar"))

; func setting(name string) string { return os.Getenv(name) }
(function_declaration name: (identifier) @wrapper parameters: (parameter_list) @parameters body: (_) @body)
