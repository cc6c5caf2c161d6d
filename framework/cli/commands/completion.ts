import type { Context } from '../context.ts';

/** The scripts only pass the words on: what there is to complete is known to the program alone. */
const scripts = {
  bash: `# bash completion for lakehouse
_lakehouse() {
  # Bash cuts words at = and : too, which the program must see whole.
  local line="\${COMP_LINE:0:COMP_POINT}" words current done
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  current="\${words[\${#words[@]}-1]}"
  done="\${current%"\${current##*[=:]}"}"
  local IFS=$'\n'
  COMPREPLY=($(lakehouse __complete "\${words[@]:1}" 2>/dev/null | cut -f1))
  if [[ "\${COMPREPLY[0]}" == :files ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
  [[ "\${COMPREPLY[0]}" == *= ]] && compopt -o nospace
  COMPREPLY=("\${COMPREPLY[@]#"$done"}")
}
complete -F _lakehouse lakehouse crypto-lakehouse
`,
  zsh: `#compdef lakehouse crypto-lakehouse
_lakehouse() {
  local -a lines found
  lines=("\${(@f)$(lakehouse __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${lines[1]}" == :files* ]]; then _files; return; fi
  found=("\${(@)\${(@)lines//:/\\\\:}/$'\\t'/:}")
  [[ -n "\${lines[1]}" ]] && _describe lakehouse found
}
if [[ "$funcstack[1]" == _lakehouse ]]; then _lakehouse "$@"; else compdef _lakehouse lakehouse crypto-lakehouse; fi
`,
  fish: `# fish completion for lakehouse
function __lakehouse_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines (lakehouse __complete $words[2..-1] 2>/dev/null)
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
