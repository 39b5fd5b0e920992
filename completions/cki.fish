complete --keep-order --exclusive --command cki --arguments "(COMPLETE=fish cki -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
