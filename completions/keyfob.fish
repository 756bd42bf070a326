complete --keep-order --exclusive --command keyfob --arguments "(COMPLETE=fish keyfob -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
