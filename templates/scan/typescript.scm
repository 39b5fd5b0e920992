; What TypeScript adds to JavaScript. See docs/reference/scan.md for the captures.

; process.env.X!: the author says that it is there.
(non_null_expression (_) @raises)

; const e = process.env as Settings
(variable_declarator name: (identifier) @alias value: [(as_expression) (satisfies_expression) (non_null_expression)] @path)
(variable_declarator
  name: (object_pattern (shorthand_property_identifier_pattern) @property)
  value: [(as_expression) (satisfies_expression)] @object)
