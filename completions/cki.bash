# Completion of `cki` in bash. The program answers; this hands over the line up to the cursor, and the part of the
# word that bash replaces.
_cki() {
    local IFS=$'\n'
    mapfile -t COMPREPLY < <(
        _CKI_LINE="${COMP_LINE:0:COMP_POINT}" _CKI_WORD="$2" _CKI_TYPE="$COMP_TYPE" COMPLETE=bash \
            cki -- 2> /dev/null
    )
    # Behind `NAME=` and `directory/`, the word goes on.
    if [[ "${#COMPREPLY[@]}" -eq 1 && "${COMPREPLY[0]}" == *[=/:] ]]; then
        compopt -o nospace
    fi
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o bashdefault -o nosort -F _cki cki
else
    complete -o bashdefault -F _cki cki
fi
