import {
  type ArgumentSpec,
  type CommandSpec,
  commands,
  globalOptions,
  type OptionSpec,
  type ValueKind,
} from '../catalog.ts';
import { type Context, createContext } from '../context.ts';

interface Candidate {
  readonly text: string;
  readonly note?: string;
}

/** The shell completes names of files itself. */
const FILES: Candidate = { text: ':files' };

/** Prints what the last word may become, one per line, its meaning after a tab. Whatever goes wrong, there is just nothing to offer. */
export async function run(
  context: Context,
  _options: object,
  words: readonly string[] = [],
): Promise<number | undefined> {
  // --name=value is two words in one.
  const split = (word: string) => /^(--[\w-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word];
  const [last = '', option] = split(words.at(-1) ?? '').toReversed();
  const lead = option === undefined ? '' : `${option}=`;
  const line = read([...words.slice(0, -1).flatMap(split), ...(option === undefined ? [] : [option])]);
  const quiet = createContext(
    { ...context.io, stderr: { ...context.io.stderr, write: () => undefined } },
    { json: false, debug: false, color: false, quiet: true, ...line.globals },
    words,
  );
  const candidates = await candidatesFor(line, last, quiet).catch(() => []);
  for (const { text, note } of candidates) {
    if (text === FILES.text ? lead === '' : text.startsWith(last))
      context.console.print(`${lead}${text}${note === undefined ? '' : `\t${note}`}`);
  }
  return undefined;
}

interface Line {
  readonly command: CommandSpec | undefined;
  readonly subcommands: readonly CommandSpec[];
  readonly options: readonly OptionSpec[];
  /** Arguments given so far. */
  readonly given: readonly string[];
  /** The option whose value comes next. */
  readonly pending: OptionSpec | undefined;
  readonly globals: { readonly config?: string; readonly profile?: string; readonly set: readonly string[] };
}

const namesOf = ({ flags }: OptionSpec): string[] => flags.split(/, | /).filter((part) => part.startsWith('-'));
const takesValue = ({ flags }: OptionSpec): boolean => /[<[]/.test(flags);

function read(words: readonly string[]): Line {
  let command: CommandSpec | undefined;
  let subcommands: readonly CommandSpec[] = commands;
  let pending: OptionSpec | undefined;
  const given: string[] = [];
  const globals: { config?: string; profile?: string; set: string[] } = { set: [] };
  const optionsNow = () => [...(command?.options ?? []), ...globalOptions];
  for (const word of words) {
    if (pending) {
      if (pending.value === 'profile') globals.profile = word;
      else if (pending.flags.startsWith('--config')) globals.config = word;
      else if (pending.value === 'setting') globals.set.push(word);
      pending = undefined;
    } else if (word.startsWith('-')) {
      const option = optionsNow().find((one) => namesOf(one).includes(word));
      if (option && takesValue(option)) pending = option;
    } else {
      const found: CommandSpec | undefined =
        given.length === 0 ? subcommands.find(({ name }) => name === word) : undefined;
      if (found) {
        command = found;
        subcommands = found.commands ?? [];
      } else given.push(word);
    }
  }
  return { command, subcommands, options: optionsNow(), given, pending, globals };
}

async function candidatesFor(
  { command, subcommands, options, given, pending }: Line,
  last: string,
  context: Context,
): Promise<readonly Candidate[]> {
  if (pending) return valuesOf(pending, command, given, last, context);
  if (last.startsWith('-'))
    return options.flatMap((option) =>
      namesOf(option)
        .filter((name) => name.startsWith('--'))
        .map((text) => ({ text, note: (text === '--json' && command?.json) || option.description })),
    );
  const names = given.length > 0 ? [] : namesIn(subcommands);
  const argument = command?.arguments?.[given.length] ?? command?.arguments?.find(({ name }) => name.includes('...'));
  return argument ? [...names, ...(await valuesOf(argument, command, given, last, context))] : names;
}

const namesIn = (list: readonly CommandSpec[]): Candidate[] =>
  list.filter(({ hidden }) => !hidden).map(({ name, summary }) => ({ text: name, note: summary }));

async function valuesOf(
  { value, choices }: OptionSpec | ArgumentSpec,
  command: CommandSpec | undefined,
  given: readonly string[],
  last: string,
  context: Context,
): Promise<readonly Candidate[]> {
  if (choices) return choices.map((text) => ({ text }));
  const load: Partial<Record<ValueKind, () => Promise<readonly Candidate[]>>> = {
    file: async () => [FILES],
    command: async () =>
      namesIn(
        given.reduce<readonly CommandSpec[]>(
          (list, word) => list.find(({ name }) => name === word)?.commands ?? [],
          commands,
        ),
      ),
    asset: () => assetNames(context),
    selection: async () => {
      // What stands before the name stays: `+silver/kl`.
      const lead = /^(\d*\+)?/.exec(last)?.[0] ?? '';
      return (await assetNames(context)).map(({ text, ...rest }) => ({ text: lead + text, ...rest }));
    },
    partitions: () => partitionTerms(context, command, given, last),
    run: () =>
      context.withLog(async (state) => [
        { text: 'last' },
        ...state.runs(50).map(({ run, command: line }) => ({ text: run, note: line })),
      ]),
    profile: async () => [...(await context.sources()).profiles.keys()].map((text) => ({ text })),
    setting: async () =>
      (await context.settings()).loaded.effective.map(({ path, description }) => ({
        text: `${path.join('.')}=`,
        ...(description !== undefined && { note: description }),
      })),
  };
  return (await load[value ?? 'text']?.()) ?? [];
}

async function assetNames(context: Context): Promise<readonly Candidate[]> {
  const { definition } = await context.configuration();
  const { buildGraph } = await import('../../graph/graph.ts');
  const graph = buildGraph(definition.assets, { codes: () => '' });
  return graph.order.map((key) => {
    const note = graph.node(key).definition.description;
    return { text: key, ...(note !== undefined && { note }) };
  });
}

/** `dimension=` and then its values, for the last term of a filter or key. */
async function partitionTerms(
  context: Context,
  command: CommandSpec | undefined,
  given: readonly string[],
  last: string,
): Promise<readonly Candidate[]> {
  return context.withLake('read', async (lake) => {
    const { knownValues, selectAssets } = await import('../../sdk/select.ts');
    const { evaluateNow } = await import('../../report/evaluated.ts');
    const keys = command?.arguments?.[0]?.value === 'asset' ? given.slice(0, 1) : selectAssets(lake.graph, given[0]);
    const { evaluations } = evaluateNow(lake);
    const [, lead = '', term = ''] = /^(.*[,/])?([^,/]*)$/.exec(last) ?? [];
    const [, name, before = ''] = /^(\w+)=(.*\|)?/.exec(term) ?? [];
    const found = new Set<string>();
    for (const key of keys) {
      const evaluation = evaluations.get(key);
      if (!evaluation) continue;
      if (name === undefined)
        for (const dimension of evaluation.node.space.dimensions) found.add(`${lead}${dimension.name}=`);
      else
        for (const value of knownValues(evaluation.series.keys()).valuesOf(name))
          found.add(`${lead}${name}=${before}${value}`);
    }
    return [...found].sort().map((text) => ({ text }));
  });
}
