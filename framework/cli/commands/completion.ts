import type { Context } from '../context.ts';

/** The scripts only pass the words on: what there is to complete is known to the program alone. */
const scripts = {
  bash: `# bash completion for lakehouse
_lakehouse() {
  # Bash cuts words at = and : too, which the program must see whole.
  local line="\${COMP_LINE:0:COMP_POINT}" words raw current done=
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  raw="\${words[\${#words[@]}-1]}"
  words=("\${words[@]//[\\"\\']/}")
  current="\${words[\${#words[@]}-1]}"
  # Inside quotes it does not.
  [[ "$raw" == [\\"\\']* ]] || done="\${current%"\${current##*[=:]}"}"
  local IFS=$'\\n'
  COMPREPLY=($(lakehouse __complete "\${words[@]:1}" 2>/dev/null | cut -f1))
  if [[ "\${COMPREPLY[0]}" == :files ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
  [[ "\${COMPREPLY[0]}" == *= ]] && compopt -o nospace
  COMPREPLY=("\${COMPREPLY[@]#"$done"}")
}
complete -F _lakehouse lakehouse crypto-lakehouse
`,
  zsh: `#compdef lakehouse crypto-lakehouse
_lakehouse() {
  local line
  local -a lines open closed
  # PREFIX is the last word up to the cursor, without the quote that it begins with.
  lines=("\${(@f)$(lakehouse __complete "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  if [[ "\${lines[1]}" == :files* ]]; then _files; return; fi
  for line in "\${(@)lines}"; do
    [[ -n "$line" ]] || continue
    # What ends with = goes on without a space.
    if [[ "\${line%%$'\t'*}" == *= ]]; then open+=("\${\${line//:/\\\\:}/$'\t'/:}"); else closed+=("\${\${line//:/\\\\:}/$'\t'/:}"); fi
  done
  (( $#closed )) && _describe lakehouse closed
  (( $#open )) && _describe lakehouse open -S ''
}
if [[ "$funcstack[1]" == _lakehouse ]]; then _lakehouse "$@"; else compdef _lakehouse lakehouse crypto-lakehouse; fi
`,
  fish: `# fish completion for lakehouse
function __lakehouse_complete
  set -l words (commandline -opc)
  # The last word as it was typed, without the quote that it begins with.
  set -l current (commandline -ct)
  if string match -qr '^["\\']' -- $current
    set current (string sub -s 2 -- $current)
  else
    set current (string unescape -- $current)
  end
  set -l lines (lakehouse __complete $words[2..-1] "$current" 2>/dev/null)
  if test "$lines[1]" = :files
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $lines
  end
end
complete -c lakehouse -f -a '(__lakehouse_complete)'
complete -c crypto-lakehouse -f -a '(__lakehouse_complete)'
`,
} as const;

export async function run({ io }: Context, _options: object, shell: keyof typeof scripts): Promise<number | undefined> {
  io.stdout.write(scripts[shell]);
  return undefined;
}
