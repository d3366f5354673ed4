export type Shell = 'bash' | 'zsh' | 'fish'

/**
 * The script that makes a shell ask `sop __complete` for candidates. All knowledge is in there, so that a script that was
 * installed once knows the verbs and options of later versions.
 */
export const renderCompletion = (shell: Shell): string => SCRIPTS[shell]

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# sop completion for bash. To have it in every shell, in ~/.bashrc:
#   source <(sop completion bash)
_sop() {
  local IFS=$'\\n'
  COMPREPLY=($(sop __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  if [ "\${#COMPREPLY[@]}" -eq 0 ]; then compopt -o default 2>/dev/null; fi
}
complete -F _sop sop
`,
  zsh: `#compdef sop
# sop completion for zsh. To have it in every shell, in ~/.zshrc after compinit:
#   source <(sop completion zsh)
_sop() {
  local -a candidates
  candidates=("\${(@f)$(sop __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=(\${candidates:#})
  if (( \${#candidates} )); then compadd -a candidates; else _files; fi
}
compdef _sop sop
`,
  fish: `# sop completion for fish. To have it in every shell, in ~/.config/fish/config.fish:
#   sop completion fish | source
function __sop_complete
  set -l words (commandline -opc) (commandline -ct)
  sop __complete $words[2..-1] 2>/dev/null
end
complete -c sop -a '(__sop_complete)'
`,
}
