import type { Context } from '../context.ts';

/** The scripts only pass the words on: what there is to complete is known to the program alone. */
const scripts = {
  bash: `# bash completion for lakehouse
_lakehouse() {
  local IFS=$'\\n' word="\${COMP_WORDS[COMP_CWORD]}"
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=($(lakehouse __complete "\${words[@]}" 2>/dev/null | cut -f1))
  [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == :files ]] && COMPREPLY=($(compgen -f -- "$word"))
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
