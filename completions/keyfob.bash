_keyfob() {
    local IFS=$'\n'
    COMPREPLY=($(
        COMPLETE=bash \
        _KEYFOB_LINE="$COMP_LINE" _KEYFOB_POINT="$COMP_POINT" \
        _KEYFOB_INDEX="$COMP_CWORD" _KEYFOB_TYPED="$2" \
        keyfob -- "${COMP_WORDS[@]}" 2>/dev/null
    ))
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o nosort -F _keyfob keyfob 2>/dev/null ||
    complete -o bashdefault -F _keyfob keyfob
