/** What completion offers in the place of a value. */
export type ValueKind =
  | 'asset'
  | 'selection'
  | 'partitions'
  | 'run'
  | 'profile'
  | 'setting'
  | 'file'
  | 'shell'
  | 'text';

export interface ArgumentSpec {
  /** `<required>`, `[optional]`, `[several...]` */
  readonly name: string;
  readonly description: string;
  readonly value: ValueKind;
  readonly choices?: readonly string[];
}

export interface OptionSpec {
  /** `-n, --name <value>`; without a value it is a switch. */
  readonly flags: string;
  readonly description: string;
  readonly value?: ValueKind;
  readonly choices?: readonly string[];
  /** How the value is read: a whole number, hours/minutes/… in ms, one of several. Default: the text. */
  readonly reads?: 'count' | 'duration' | 'each';
  /** As the user would write it. */
  readonly default?: string;
}

export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** More than the summary, for its help. */
  readonly description?: string;
  readonly group: 'Work' | 'Look' | 'Keep' | 'More';
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly examples?: readonly string[];
  readonly commands?: readonly CommandSpec[];
  /** Not for people: takes the words after it as they are. */
  readonly hidden?: boolean;
}

const selection: ArgumentSpec = {
  name: '[selection]',
  description:
    "assets: silver/klines, '+gold/*' (with what they read), 'silver/klines+', 'group:gold and not tag:slow'; all when absent",
  value: 'selection',
};
const asset: ArgumentSpec = { name: '<asset>', description: 'key of an asset, e.g. silver/klines', value: 'asset' };
const partitions: OptionSpec = {
  flags: '-p, --partitions <filter>',
  description:
    "only these, e.g. 'date=2020-01-01..2020-01-03,symbol=BTC*|ETHUSDT'; times are 2020, 2020-01, a..b, a.., ..b",
  value: 'partitions',
};
const work: readonly OptionSpec[] = [
  partitions,
  { flags: '--force', description: 'compute what is selected whether it is stale or not' },
  { flags: '--retry-failed', description: 'also what failed for its data, though nothing has changed since' },
  { flags: '--no-observe', description: 'do not look at the sources first' },
];
const verbose: OptionSpec = { flags: '-v, --verbose', description: 'list everything in full' };
const yes: OptionSpec = { flags: '-y, --yes', description: 'do it without asking' };

/** Options of every command. */
export const globalOptions: readonly OptionSpec[] = [
  {
    flags: '--config <file>',
    description: 'config file instead of lakehouse.yaml or config/lakehouse.yaml',
    value: 'file',
  },
  { flags: '--profile <name>', description: 'profile laid over the config file', value: 'profile' },
  {
    flags: '--set <key=value>',
    description: 'a setting, e.g. --set workflow.retryAttempts=0; may be repeated',
    value: 'setting',
    reads: 'each',
  },
  { flags: '--json', description: 'print JSON' },
  { flags: '-q, --quiet', description: 'print results and failures only' },
  { flags: '--debug', description: 'print stack traces with errors' },
  { flags: '--no-color', description: 'print without colours (as NO_COLOR does)' },
];

export const commands: readonly CommandSpec[] = [
  {
    name: 'plan',
    group: 'Work',
    summary: 'show what is stale, why, and what computing it would cost',
    description: 'Looks at the selected sources, and shows what `materialize` would do and why. Writes nothing.',
    arguments: [selection],
    options: [...work, verbose],
    examples: ["lakehouse plan '+gold/*'", 'lakehouse plan silver/klines -p date=2024-01'],
  },
  {
    name: 'materialize',
    group: 'Work',
    summary: 'compute what is stale',
    description:
      'Looks at the selected sources and computes what is stale, in order. Interrupted or killed, it is simply run again. Ctrl-C once: what is running finishes; twice: stop now.\nExit code 1 when partitions or checks failed; partitions that cannot be computed yet fail nothing.',
    arguments: [selection],
    options: [
      ...work,
      {
        flags: '--accept-code <asset>',
        description: 'the code of this asset was only rearranged: what it made stays; may be repeated',
        value: 'asset',
        reads: 'each',
      },
      { flags: '--require-complete', description: 'exit code 1 also when partitions are awaiting or blocked' },
      { flags: '--dry-run', description: 'the same as plan' },
    ],
    examples: [
      "lakehouse materialize '+gold/*' -p 'date=2020-01-01..2020-01-03,symbol=BTCUSDT'",
      'lakehouse materialize --accept-code silver/klines',
    ],
  },
  {
    name: 'observe',
    group: 'Work',
    summary: 'look at the sources and remember what is there',
    arguments: [selection],
  },
  {
    name: 'status',
    group: 'Look',
    summary: 'count partitions by status, per asset',
    arguments: [selection],
    options: [partitions],
  },
  {
    name: 'explain',
    group: 'Look',
    summary: 'say why a partition is as it is',
    arguments: [
      asset,
      {
        name: '<partition>',
        description: 'e.g. market=spot/symbol=BTCUSDT/interval=1m/date=2020-01-02',
        value: 'partitions',
      },
    ],
  },
  {
    name: 'assets',
    group: 'Look',
    summary: 'list the assets',
    arguments: [selection],
  },
  {
    name: 'show',
    group: 'Look',
    summary: 'show everything about one asset',
    arguments: [asset],
  },
  {
    name: 'lineage',
    group: 'Look',
    summary: 'show what is made from what',
    description: 'Shows the selected assets and what they read. A selection with `+` says itself how far to go.',
    arguments: [selection],
    options: [
      {
        flags: '-f, --format <format>',
        description: 'how to draw it',
        choices: ['tree', 'mermaid', 'dot', 'json'],
        default: 'tree',
      },
    ],
    examples: ['lakehouse lineage gold/indicators --format mermaid'],
  },
  {
    name: 'query',
    group: 'Look',
    summary: 'run SQL over the whole lake',
    description:
      'Runs one SELECT. Every table is there as zone.name, an asset of original files as a list of its partitions and paths.',
    arguments: [{ name: '[sql]', description: 'the statement; or give --file', value: 'text' }],
    options: [
      {
        flags: '-f, --format <format>',
        description: 'how to print the rows',
        choices: ['table', 'csv', 'json', 'ndjson'],
        default: 'table',
      },
      { flags: '--file <path>', description: 'read the statement from a file, - for standard input', value: 'file' },
      {
        flags: '--limit <rows>',
        description: 'print at most so many rows; 0 for all (default: 1000 for a table, else all)',
        reads: 'count',
      },
      { flags: '-o, --output <path>', description: 'write to a file', value: 'file' },
    ],
    examples: ['lakehouse query "SELECT symbol, count(*) FROM silver.klines GROUP BY 1"'],
  },
  {
    name: 'runs',
    group: 'Look',
    summary: "list runs, latest first; 'runs show <run>' shows one",
    options: [{ flags: '--limit <runs>', description: 'how many', reads: 'count', default: '20' }],
    commands: [
      {
        name: 'show',
        group: 'Look',
        summary: 'show what a run did',
        arguments: [
          { name: '<run>', description: "id of a run or its beginning; 'last' for the latest", value: 'run' },
        ],
      },
    ],
  },
  {
    name: 'config',
    group: 'Look',
    summary: 'show the settings in force and where each comes from',
    options: [verbose],
  },
  {
    name: 'verify',
    group: 'Keep',
    summary: 'check files and log against each other',
    description:
      'Reads every current file and compares size and SHA-256 with the log. Exit code 1 when something is wrong.',
    options: [{ flags: '--deep', description: 'also recompute the data version of every partition' }],
  },
  {
    name: 'gc',
    group: 'Keep',
    summary: 'remove files and events that nothing needs any more',
    description:
      'Removes superseded files, files that the log does not know, unfinished writes of dead processes, and old events. Only shows them without --yes.',
    options: [
      { flags: '--dry-run', description: 'show what would be removed; so it is without --yes' },
      {
        flags: '--excluded',
        description: 'also files of partitions that the settings no longer want, originals included',
      },
      yes,
      {
        flags: '--grace <time>',
        description: 'spare what is younger, e.g. 30m, 12h, 2d',
        reads: 'duration',
        default: '1h',
      },
    ],
  },
  {
    name: 'wipe',
    group: 'Keep',
    summary: 'take partitions out of the lake',
    description:
      'The partitions leave the lake; what read them becomes stale, and the next run computes them again. Shows them and asks first.',
    arguments: [asset],
    options: [partitions, yes],
    examples: ['lakehouse wipe silver/klines -p symbol=BTCUSDT,date=2020-01'],
  },
  {
    name: 'completion',
    group: 'More',
    summary: 'print the completion script of a shell',
    arguments: [{ name: '<shell>', description: 'the shell', value: 'shell', choices: ['bash', 'zsh', 'fish'] }],
    examples: [
      'lakehouse completion bash > ~/.local/share/bash-completion/completions/lakehouse',
      'lakehouse completion fish > ~/.config/fish/completions/lakehouse.fish',
    ],
  },
  {
    name: '__complete',
    group: 'More',
    summary: 'candidates for the last word',
    arguments: [{ name: '[words...]', description: 'the words so far, the last one unfinished', value: 'text' }],
    hidden: true,
  },
];
