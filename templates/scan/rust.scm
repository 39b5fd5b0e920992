; How Rust names things and reads the environment. See docs/reference/scan.md for the captures.

; use std::env; use std::env::var; use std::env as e; use std::env::{self, var as v}
(use_declaration argument: (scoped_identifier path: (_) @path name: (identifier) @member))
(use_declaration argument: (use_as_clause path: (_) @path alias: (identifier) @alias))
(use_declaration argument: (scoped_use_list
  path: (_) @path
  list: (use_list (identifier) @member)))
(use_declaration argument: (scoped_use_list
  path: (_) @path
  list: (use_list (use_as_clause path: (identifier) @member alias: (identifier) @alias))))
(use_declaration argument: (scoped_use_list
  path: (_) @path
  list: (use_list (use_as_clause path: (self) alias: (identifier) @alias))))
; const NAME: &str = "X";
(const_item name: (identifier) @constant value: (string_literal) @text)

; env::var("X")
(call_expression function: [(identifier) (scoped_identifier)] @function arguments: (arguments) @arguments) @read
; names.map(env::var): whatever no other query explains is reported.
(scoped_identifier) @mention
(use_declaration) @passed
; env!("X"), option_env!("X")
(macro_invocation macro: (_) @function (token_tree) @arguments (#set! suffix "!")) @read

; format!("{}", env::var("X")), vec![option_env!("Y")]: what is in a macro is but a row of tokens.
((token_tree (identifier) @_f . (token_tree . "(" . (string_literal) @name))
  (#any-of? @_f "var" "var_os"))
((token_tree (identifier) @_f . "!" . (token_tree . "(" . (string_literal) @name))
  (#any-of? @_f "env" "option_env") (#set! default))
((token_tree
  (identifier) @_f . (token_tree . "(" . (string_literal) @name) . "." . (identifier) @_m)
  (#any-of? @_f "var" "var_os") (#any-of? @_m "unwrap" "expect") (#set! required))
((token_tree
  (identifier) @_f . (token_tree . "(" . (string_literal) @name) . "." . (identifier) @_m)
  (#any-of? @_f "var" "var_os")
  (#any-of? @_m "unwrap_or" "unwrap_or_else" "unwrap_or_default" "or_else" "map_or" "map_or_else")
  (#set! default))
((token_tree
  (identifier) @_e . "::" . (identifier) @_f . (token_tree) @unknown)
  (#eq? @_e "env") (#any-of? @_f "var" "var_os") (#not-match? @unknown "^[(]\\s*r?#*\""))
((token_tree
  (identifier) @_e . "::" . (identifier) @_f . (token_tree)) @unknown
  (#eq? @_e "env") (#any-of? @_f "vars" "vars_os"))

; env::var("X").unwrap_or("default".into()), .ok(), .is_ok()
(call_expression
  function: (field_expression value: (_) @fallback field: (field_identifier) @_m)
  (#any-of? @_m "unwrap_or" "unwrap_or_else" "unwrap_or_default" "or_else" "map_or" "map_or_else"))
(call_expression
  function: (field_expression value: (_) @raises field: (field_identifier) @_m)
  (#any-of? @_m "unwrap" "expect"))
(try_expression (_) @raises)

; #[arg(long, env = "X", default_value = "y")], #[arg(env("X"))], #[envconfig(from = "X")]
(attribute
  (identifier) @_a
  arguments: (token_tree (identifier) @_e . "=" . [(string_literal) (raw_string_literal) (identifier)] @name)
  (#any-of? @_a "arg" "bpaf" "clap" "config" "envconfig" "option" "structopt") (#any-of? @_e "env" "from") (#set! expression))
(attribute
  (identifier) @_a
  arguments: (token_tree (identifier) @_e . (token_tree . "(" . [(string_literal) (raw_string_literal) (identifier)] @name))
  (#any-of? @_a "arg" "bpaf" "clap" "config" "envconfig" "option" "structopt") (#eq? @_e "env") (#set! expression))
((attribute
  (identifier) @_a
  arguments: (token_tree
    (identifier) @_e . "=" . (string_literal) @name
    [(identifier) "default"] @_d))
  (#any-of? @_a "arg" "bpaf" "clap" "config" "envconfig" "option" "structopt")
  (#any-of? @_e "env" "from")
  (#any-of? @_d "default" "default_value" "default_value_t" "default_values" "default_values_t" "default_value_os_t" "fallback")
  (#set! default))
((attribute
  (identifier) @_a
  arguments: (token_tree
    [(identifier) "default"] @_d
    (identifier) @_e . "=" . (string_literal) @name))
  (#any-of? @_a "arg" "bpaf" "clap" "config" "envconfig" "option" "structopt")
  (#any-of? @_e "env" "from")
  (#any-of? @_d "default" "default_value" "default_value_t" "default_values" "default_values_t" "default_value_os_t" "fallback")
  (#set! default))
; #[arg(env)] port: u16: the name of the field, in capitals
((attribute_item (attribute
  (identifier) @_a
  arguments: (token_tree (identifier) @_e . ["," ")"]))) @name
  (#any-of? @_a "arg" "bpaf" "clap" "structopt") (#eq? @_e "env") (#set! upper) (#set! field))
((attribute_item (attribute
  (identifier) @_a
  arguments: (token_tree (identifier) @_d (identifier) @_e . ["," ")"]))) @name
  (#any-of? @_a "arg" "clap" "structopt") (#eq? @_e "env")
  (#any-of? @_d "default" "default_value" "default_value_t" "default_values" "default_values_t" "default_value_os_t" "fallback")
  (#set! default) (#set! upper) (#set! field))
((attribute_item (attribute
  (identifier) @_a
  arguments: (token_tree (identifier) @_e . "," (identifier) @_d))) @name
  (#any-of? @_a "arg" "clap" "structopt") (#eq? @_e "env")
  (#any-of? @_d "default" "default_value" "default_value_t" "default_values" "default_values_t" "default_value_os_t" "fallback")
  (#set! default) (#set! upper) (#set! field))
; #[command(rename_all_env = "…")]: names that the program makes
((attribute (identifier) arguments: (token_tree (identifier) @_e)) @unknown (#eq? @_e "rename_all_env"))

; Arg::new("x").env("X"), short('x').env(NAME); Command::env has two arguments, and sets it.
((call_expression
  function: (field_expression field: (field_identifier) @_f)
  arguments: (arguments . [(string_literal) (raw_string_literal) (identifier) (scoped_identifier)] @name .))
  (#eq? @_f "env") (#set! expression))
((call_expression
  function: (field_expression field: (field_identifier) @_f)
  arguments: (arguments . [(reference_expression) (macro_invocation) (call_expression)] .)) @unknown
  (#eq? @_f "env"))

; #[cfg(test)] mod tests { … }
((attribute_item (attribute (identifier) @_a arguments: (token_tree (identifier) @_t)))
  .
  (mod_item) @test
  (#eq? @_a "cfg") (#eq? @_t "test"))

; envy::prefixed("APP_"), config::Environment::with_prefix("APP"): names that are made at run time
((call_expression function: [
    (scoped_identifier path: (_) @_p name: (identifier) @_n)
    (generic_function function: (scoped_identifier path: (_) @_p name: (identifier) @_n))]) @unknown
  (#match? @_p "(^|::)(envy|Environment|Env|serde_env|Envconfig|Envy)$")
  (#any-of? @_n "from_env" "from_env_safe" "from_env_with_prefix" "from_iter" "prefixed" "with_prefix" "raw" "default" "var"))

; fn setting(name: &str) -> String { env::var(name) }
(function_item name: (identifier) @wrapper parameters: (parameters) @parameters body: (_) @body)
