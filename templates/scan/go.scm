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

; exec.Command("sh", "-c", "echo $X"): a shell reads the names.
((call_expression
  function: (_) @_f
  arguments: (argument_list
    (interpreted_string_literal) @_c . [(interpreted_string_literal) (raw_string_literal)] @unknown))
  (#match? @_f "^exec[.]Command(Context)?$")
  (#match? @_c "^\"-[a-z]*c\"$")
  (#match? @unknown "[$][A-Za-z_{]"))

; lookup(os.Getenv): whatever no other query explains is reported.
(selector_expression) @mention

; `env:"X,required" envDefault:"y"`
(field_declaration tag: (_) @tag)

; viper.AutomaticEnv(), envconfig.Process("app", &settings): names that are made at run time
((call_expression function: (selector_expression field: (field_identifier) @_f)) @unknown
  (#eq? @_f "AutomaticEnv"))
((call_expression function: (selector_expression operand: (identifier) @_o field: (field_identifier) @_f)) @unknown
  (#eq? @_o "envconfig") (#any-of? @_f "Process" "MustProcess" "ProcessWith"))
; viper.SetEnvPrefix("app"): before the names of BindEnv("key")
((call_expression
  function: (selector_expression field: (field_identifier) @_f)
  arguments: (argument_list . (_) @prefix))
  (#eq? @_f "SetEnvPrefix"))
; v := viper.New()
(short_var_declaration
  left: (expression_list . (identifier) @alias .)
  right: (expression_list . (call_expression function: (selector_expression) @path) .))
(var_spec name: (identifier) @alias value: (expression_list . (selector_expression) @path .))

; &cli.StringFlag{EnvVars: []string{"X"}}
((keyed_element
  (literal_element (identifier) @_k)
  (literal_element (composite_literal body: (literal_value (literal_element (_) @name)))))
  (#any-of? @_k "EnvVars" "EnvVar" "Envars") (#set! expression))
((keyed_element
  (literal_element (identifier) @_k)
  (literal_element [(interpreted_string_literal) (raw_string_literal) (identifier) (selector_expression)] @name))
  (#any-of? @_k "EnvVar" "Envar") (#set! expression))
((keyed_element
  (literal_element (identifier) @_k)
  (literal_element [(call_expression) (identifier) (selector_expression)] @unknown))
  (#any-of? @_k "EnvVars" "Envars"))
; app.Flag("x", "…").Envar("X")
((call_expression
  function: (selector_expression field: (field_identifier) @_f)
  arguments: (argument_list . (_) @name .))
  (#any-of? @_f "Envar" "OverrideDefaultFromEnvar") (#set! expression))

; func setting(name string) string { return os.Getenv(name) }
(function_declaration name: (identifier) @wrapper parameters: (parameter_list) @parameters body: (_) @body)
