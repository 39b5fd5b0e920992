; What TypeScript adds to JavaScript. See docs/reference/scan.md for the captures.

; process.env.X!: the author says that it is there.
(non_null_expression (_) @raises)
