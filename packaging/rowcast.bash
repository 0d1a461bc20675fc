# Completion of rowcast's commands and options for bash: from what --help says, so that it is never behind.
_rowcast() {
    local cur prev words cword
    _init_completion || return
    local command=${words[1]}
    case $prev in
        -c | --config) _filedir 'y?(a)ml'; return ;;
    esac
    if (( cword == 1 )); then
        COMPREPLY=($(compgen -W "$(rowcast --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p') --help --version" -- "$cur"))
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$(_parse_help rowcast "$command --help")" -- "$cur"))
    elif [[ $command == check ]]; then
        _filedir 'y?(a)ml'
    fi
} && complete -F _rowcast rowcast
