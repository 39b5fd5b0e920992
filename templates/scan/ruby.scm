; How Ruby names things and reads the environment. See docs/reference/scan.md for the captures.

; e = ENV; NAME = 'X'
(assignment left: [(identifier) (constant)] @alias right: [(constant) (scope_resolution)] @path)
(assignment left: (constant) @constant right: (string) @text)

; ENV['X'], ENV.fetch('X', 'default'), ENV.fetch('X') { 'default' }
(element_reference object: (_) @object . (_) @key .) @read
(call receiver: (_) @receiver method: (identifier) @function arguments: (argument_list) @arguments) @read
(call !receiver method: (identifier) @function arguments: (argument_list) @arguments) @read
((call receiver: (_) @receiver method: (identifier) @function arguments: (argument_list) @arguments
  block: (_)) @read (#set! default))

; ENV['X'] = 'y'
(assignment left: (element_reference object: (_) @object . (_) @key .) @write)
; ENV['X'] ||= 'default'
(operator_assignment left: (element_reference) @fallback operator: "||=")
; ENV['X'] || 'default'
(binary left: (_) @fallback operator: ["||" "or"])

; def setting(name) = ENV.fetch(name)
(method name: (identifier) @wrapper parameters: (method_parameters) @parameters body: (_) @body)
