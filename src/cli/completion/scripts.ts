/**
 * The scripts that tie the completion to a shell. Each asks the program what may stand at the cursor, which answers
 *
 * | line      | what                                                                               |
 * |-----------|------------------------------------------------------------------------------------|
 * | first     | `-`, `files`, `directories` or `commands`: what the shell adds itself; then, behind |
 * |           | a space, `open` where no space follows                                             |
 * | second    | the part of the word in front of the candidates                                    |
 * | others    | a candidate, and, behind a tab, what it is                                         |
 */
import type { ProgramName } from '../program-name.ts';
import type { Completions } from './complete.ts';

export const SHELLS = ['bash', 'fish', 'zsh'] as const;

export type Shell = (typeof SHELLS)[number];

export function encodeCompletions({ prefix, candidates, also, open = false }: Completions): string {
  const lines = candidates.map(({ word, description }) => {
    return description === undefined ? word : `${word}\t${description}`;
  });
  const first = also ?? '-';
  return [open ? `${first} open` : first, prefix, ...lines].map((line) => `${line}\n`).join('');
}

/** `program` starts the program, from any directory, as a shell takes it. */
export function completionScript(shell: Shell, name: ProgramName, program: string): string {
  return scripts[shell]
    .trimStart()
    .replaceAll('@{', () => '${')
    .replaceAll('@NAME@', name)
    .replaceAll('@PROGRAM@', () => program);
}

/** With @{ for what would be taken for a placeholder of JavaScript's. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: String.raw`
# Completion of @NAME@ for bash. Load it by: eval "$(@NAME@ completion bash)"
_@NAME@_completion() {
  # Bash parts words also at the characters of COMP_WORDBREAKS, such as : and =; they are put together again.
  local -a words=() lines=() found=()
  local rest=@{COMP_LINE:0:COMP_POINT} space word i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    space=@{rest%%[![:space:]]*}
    rest=@{rest:@{#space}}
    word=@{COMP_WORDS[i]}
    ((i == COMP_CWORD)) && word=$rest
    rest=@{rest:@{#word}}
    if [[ -z $space && i -gt 0 ]]; then words[-1]+=$word; else words+=("$word"); fi
  done
  # What is typed may be quoted; what is inserted is quoted below, or by bash where a quote is open.
  local quote=""
  [[ @{words[-1]} == [\'\"]* ]] && quote=yes
  words=("@{words[@]//[\\\'\"]/}")
  local current=@{words[-1]} also prefix
  mapfile -t lines < <(@PROGRAM@ completion bash -- "@{words[@]:1}" 2>/dev/null </dev/null)
  also=@{lines[0]:--} prefix=@{lines[1]}
  local text=@{current:@{#prefix}}
  # Bash replaces only what is behind the last break.
  local breaks=@{COMP_WORDBREAKS//[!:=]/} kept=""
  if [[ -z $quote && -n $breaks && $current == *[$breaks]* ]]; then
    kept=@{current%"@{current##*[$breaks]}"}
  fi
  [[ $also == *open* ]] && compopt -o nospace
  case $also in
    -*) found=("@{lines[@]:2}") ;;
    files*) mapfile -t found < <(compgen -f -- "$text") ;;
    directories*) mapfile -t found < <(compgen -d -- "$text") ;;
    commands*) mapfile -t found < <(compgen -c -- "$text") ;;
  esac
  COMPREPLY=()
  for word in "@{found[@]}"; do
    word=@{word%%$'\t'*}
    [[ $word == "$text"* ]] || continue
    word=$prefix$word word=@{word#"$kept"}
    [[ $also == -* && -z $quote && $word == *[^[:alnum:]_./:@%+=,~-]* ]] && printf -v word %q "$word"
    COMPREPLY+=("$word")
  done
  [[ $also != -* ]] && compopt -o filenames
}
complete -F _@NAME@_completion @NAME@
`,
  zsh: String.raw`
#compdef @NAME@
# Completion of @NAME@ for zsh. Load it by: eval "$(@NAME@ completion zsh)"
_@NAME@() {
  local -a lines described plain
  local also prefix line
  lines=("@{(@f)$(@PROGRAM@ completion zsh -- "@{(@Q)words[2,CURRENT-1]}" "@{(Q)PREFIX}" 2>/dev/null </dev/null)}")
  also=@{lines[1]:--} prefix=@{lines[2]}
  [[ -n $prefix ]] && { compset -P "@{(b)prefix}" || compset -P "@{(b)@{(q)prefix}}" }
  for line in "@{(@)lines[3,-1]}"; do
    if [[ $line == *$'\t'* ]]; then
      described+=("@{@{line%%$'\t'*}//:/\\:}:@{line#*$'\t'}")
    else
      plain+=("$line")
    fi
  done
  local -a space=()
  [[ $also == *open* ]] && space=(-S '')
  (($#described)) && _describe -t values value described "@{space[@]}"
  (($#plain)) && compadd "@{space[@]}" -V values -a plain
  case $also in
    files*) _files ;;
    directories*) _files -/ ;;
    commands*) _command_names -e ;;
  esac
  (($compstate[nmatches]))
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _@NAME@ "$@"; else compdef _@NAME@ @NAME@; fi
`,
  fish: String.raw`
# Completion of @NAME@ for fish. Load it by: @NAME@ completion fish | source
function __@NAME@_completion
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l lines (@PROGRAM@ completion fish -- $words "$current" 2>/dev/null </dev/null)
    set -l also $lines[1]
    set -l prefix "$lines[2]"
    for line in $lines[3..]
        printf '%s\n' "$prefix$line"
    end
    set -l text (string sub -s (math 1 + (string length -- "$prefix")) -- "$current")
    switch "$also"
        case 'files*'
            for path in (__fish_complete_path "$text")
                printf '%s\n' "$prefix$path"
            end
        case 'directories*'
            for path in (__fish_complete_directories "$text" '')
                printf '%s\n' "$prefix$path"
            end
        case 'commands*'
            complete -C "$text"
    end
end
complete -c @NAME@ -f -a '(__@NAME@_completion)'
`,
};
