/** What completion offers in the place of a value. */
export type ValueKind =
  | 'asset'
  | 'command'
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
  /** How the value is read: a whole number from 0 or from 1, hours/minutes/… in ms, one of several. Default: the text. */
  readonly reads?: 'count' | 'positive' | 'duration' | 'each';
  /** As the user would write it. */
  readonly default?: string;
  /** Has to be given. */
  readonly required?: boolean;
}

/**
 * Summaries and what is said of arguments and options begin in lower case and end without a full stop; descriptions are
 * sentences.
 */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** More than the summary, for its help. */
  readonly description?: string;
  readonly group: 'Work' | 'Look' | 'Keep' | 'More' | 'Lake';
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** What `--json` prints; absent where it changes nothing but errors. */
  readonly json?: string;
  /** Command lines as they may be pasted into a shell. */
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
const tag = (description: string): OptionSpec => ({
  flags: '--tag <tag>',
  description: `${description}; may be repeated`,
  value: 'text',
  reads: 'each',
});
const verbose: OptionSpec = { flags: '-v, --verbose', description: 'list everything in full' };
const schedule: ArgumentSpec = {
  name: '<schedule>',
  description: "name of a schedule or a sensor, or 'conditions'; schedule:x and sensor:x where both are named so",
  value: 'text',
};
const OBJECT = 'print one JSON object';

/** What `init` can make, by the directory in `templates/`. */
const TEMPLATES = ['minimal', 'crypto'] as const;
export type Template = (typeof TEMPLATES)[number];

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
  { flags: '--json', description: 'print JSON, errors too; the help of each command says what' },
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
    json: OBJECT,
    examples: ['lakehouse plan', "lakehouse plan '+gold/*' -p date=2024-01", 'lakehouse plan silver/klines --verbose'],
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
      tag('a tag of the run, e.g. reason=backfill'),
      { flags: '--require-complete', description: 'exit code 1 also when something selected could not be computed' },
      { flags: '--dry-run', description: 'the same as plan' },
    ],
    json: 'print one JSON object per line as things happen (NDJSON); with --dry-run one JSON object',
    examples: [
      'lakehouse materialize',
      "lakehouse materialize '+gold/*' -p date=2020-01 --tag reason=backfill",
      'lakehouse materialize --accept-code silver/klines',
    ],
  },
  {
    name: 'observe',
    group: 'Work',
    summary: 'look at the sources and remember what is there',
    description:
      'A source is listed in full once a day, and in between where that costs no more; otherwise only what is new. What is replaced or withdrawn is seen when it is listed in full.',
    arguments: [selection],
    options: [{ flags: '--audit', description: 'list everything, also where that was done a short time ago' }],
    json: 'print a JSON array with one object per source',
    examples: ['lakehouse observe', "lakehouse observe '+gold/klines_daily' --audit"],
  },
  {
    name: 'check',
    group: 'Work',
    summary: 'check what is there again, without computing it',
    description:
      'Makes the checks of partitions that are materialized, and those that compare them with other data. What passes all of its blocking checks blocks nothing any more; what fails one holds up what reads it. Exit code 1 when a check of severity error failed.',
    arguments: [selection],
    options: [
      partitions,
      {
        flags: '--only <check>',
        description: 'only checks of this name; may be repeated',
        value: 'text',
        reads: 'each',
      },
      { flags: '--failed', description: 'only partitions of which a check failed when it was last made' },
    ],
    json: `${OBJECT}: per check how many partitions and rows, and up to 100 failures with samples and the query that finds them`,
    examples: [
      'lakehouse check',
      'lakehouse check silver/klines -p symbol=BTCUSDT,date=2024 --only no_gaps_open_time',
      'lakehouse check --failed',
    ],
  },
  {
    name: 'daemon',
    group: 'Work',
    summary: 'keep the lake fresh: do what schedules say, when they say it',
    description:
      'Runs until it is told to stop: SIGTERM or Ctrl-C lets what is running finish (for daemon.drainMs at most), twice ends it at once. SIGHUP reads settings and definitions again; where they are broken the earlier ones stay. A second daemon on the same lake stands by and takes over. It logs one line per event: text on a terminal, JSON elsewhere.',
    options: [{ flags: '--once', description: 'do what is due now and end; exit code 1 when any of it failed' }],
    json: 'print one JSON object per line also on a terminal (NDJSON)',
    examples: ['lakehouse daemon', 'lakehouse daemon --once'],
  },
  {
    name: 'schedules',
    group: 'Work',
    summary: 'list schedules, sensors and conditions: when they are due, what they did last',
    description:
      'Lists everything that the daemon acts on: schedules, sensors, and the conditions of assets, which are decided together under the name `conditions` (see automation).',
    json: `${OBJECT}; each has a kind: schedule, sensor or automation`,
    examples: ['lakehouse schedules', 'lakehouse schedules --json'],
    commands: [
      {
        name: 'ticks',
        group: 'Work',
        summary: 'list ticks, latest first: what was decided and why',
        arguments: [{ ...schedule, name: '[schedule]', description: `only of this one: ${schedule.description}` }],
        options: [{ flags: '--limit <ticks>', description: 'list at most so many', reads: 'positive', default: '20' }],
        json: 'print a JSON array with one object per tick',
        examples: ['lakehouse schedules ticks', 'lakehouse schedules ticks nightly --limit 5'],
      },
      {
        name: 'run',
        group: 'Work',
        summary: 'do now what a schedule, a sensor or the conditions do, in this process',
        description:
          'A sensor looks from where its last look by the daemon left off, and what it asks for is done; the daemon will look again for itself. `conditions` computes what `lakehouse automation` says would be requested now. Exit code 1 when it failed.',
        arguments: [schedule],
        json: 'print one JSON object per line as things happen (NDJSON)',
        examples: ['lakehouse schedules run nightly', 'lakehouse schedules run conditions'],
      },
      {
        name: 'pause',
        group: 'Work',
        summary: 'let a schedule, a sensor or the conditions rest until they are resumed',
        arguments: [schedule],
        json: OBJECT,
        examples: ['lakehouse schedules pause nightly'],
      },
      {
        name: 'resume',
        group: 'Work',
        summary: 'let a schedule, a sensor or the conditions go on',
        description:
          'What a schedule had due meanwhile is not made up for; a sensor finds what is new since its last look; conditions request what has become missing or stale. What is not enabled by its definition runs from then on as well.',
        arguments: [schedule],
        json: OBJECT,
        examples: ['lakehouse schedules resume nightly'],
      },
    ],
  },
  {
    name: 'alerts',
    group: 'Look',
    summary: "list what is wrong now and what people were told; 'alerts test' tries out who is told",
    description:
      'The daemon raises alerts, and tells the destinations in the settings under `alerts`: once when something becomes bad, once when it is over.',
    options: [
      {
        flags: '--limit <messages>',
        description: 'list at most so many that were sent',
        reads: 'positive',
        default: '10',
      },
    ],
    json: OBJECT,
    examples: ['lakehouse alerts', 'lakehouse alerts --limit 100'],
    commands: [
      {
        name: 'test',
        group: 'Look',
        summary: 'send a message through each destination, and say what happened',
        description: 'Exit code 1 when one of them cannot be reached.',
        arguments: [
          {
            name: '[destination]',
            description: 'only this one, as the settings name it; or webhookUrl',
            value: 'text',
          },
        ],
        json: 'print a JSON array with one object per destination',
        examples: ['lakehouse alerts test', 'lakehouse alerts test ops'],
      },
    ],
  },
  {
    name: 'ui',
    group: 'Look',
    summary: 'look at the lake and work on it on the whole terminal',
    description:
      'Assets, lineage, partitions, runs, checks and data, followed live. `?` shows the keys, `q` leaves. The line below the title is the command that tells the same.',
    arguments: [{ name: '[asset]', description: 'the asset to begin with', value: 'asset' }],
    options: [
      { flags: '--read-only', description: 'look only: nothing can be computed, observed or wiped' },
      {
        flags: '--screen-reader',
        description: 'tell in lines of text instead of drawing; also with INK_SCREEN_READER=true',
      },
      {
        flags: '--theme <name>',
        description: 'colours; dark when absent, none with --no-color',
        choices: ['dark', 'light', 'high-contrast', 'none'],
      },
    ],
    examples: ['lakehouse ui', 'lakehouse ui silver/klines --read-only'],
  },
  {
    name: 'status',
    group: 'Look',
    summary: 'count partitions by status, per asset',
    description:
      'LAG is shown of assets with a freshness policy: how late the worst of their series is. `silent since` says that nothing has come for so long that all its series count as ended: none is late, unless their source stopped.',
    arguments: [selection],
    options: [
      partitions,
      {
        flags: '--fail-overdue',
        description: 'exit code 1 when something selected is overdue by its freshness policy, or that cannot be told',
      },
    ],
    json: OBJECT,
    examples: [
      'lakehouse status',
      'lakehouse status --fail-overdue',
      "lakehouse status 'gold/*' -p symbol=BTCUSDT,date=2024",
    ],
  },
  {
    name: 'explain',
    group: 'Look',
    summary: 'say why a partition is as it is',
    arguments: [
      asset,
      {
        name: '<partition>',
        description: 'key of a partition; dimensions with only one value may be left out',
        value: 'partitions',
      },
    ],
    json: OBJECT,
    examples: ['lakehouse explain silver/klines market=spot/symbol=BTCUSDT/interval=1m/date=2020-01-02'],
  },
  {
    name: 'automation',
    group: 'Look',
    summary: "list automated assets and what would be requested now; 'automation explain <asset>' says why",
    description:
      'Evaluates the conditions of assets as the daemon does, from what it remembers; what it has in progress is not taken into account. Writes nothing.',
    json: OBJECT,
    examples: ['lakehouse automation'],
    commands: [
      {
        name: 'explain',
        group: 'Look',
        summary: "show an asset's condition as it is evaluated now, and why nothing is requested if so",
        description:
          'Shows the condition as a tree: for how many partitions each part of it holds, and for which. Parts about what the asset reads name it.',
        arguments: [asset],
        json: `${OBJECT} with the tree`,
        examples: ['lakehouse automation explain silver/klines', 'lakehouse automation explain gold/indicators --json'],
      },
    ],
  },
  {
    name: 'assets',
    group: 'Look',
    summary: 'list the assets',
    arguments: [selection],
    json: 'print a JSON array with one object per asset',
    examples: ['lakehouse assets', "lakehouse assets '+gold/indicators'"],
  },
  {
    name: 'show',
    group: 'Look',
    summary: 'show everything about one asset',
    arguments: [asset],
    json: OBJECT,
    examples: ['lakehouse show silver/klines'],
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
    json: `${OBJECT}, as --format json does`,
    examples: ['lakehouse lineage gold/indicators', "lakehouse lineage '1+gold/*' --format mermaid"],
  },
  {
    name: 'query',
    group: 'Look',
    summary: 'run SQL over the whole lake',
    description:
      'Runs one SELECT. Every table is there as zone.name, an asset of original files as a list of its partitions and paths. Only files that can hold what is asked for are opened. A statement reads nothing outside of the lake that --allow does not name, and changes nothing.\nA parameter, $day in the statement, is given by --param day=2024-01-01, and means quoted text, of which DuckDB makes what its place asks for; --param n:integer=5 says its type, --param n:integer alone is NULL. ? are counted: --param 1=BTCUSDT.',
    arguments: [{ name: '[sql]', description: 'the statement; or give --file', value: 'text' }],
    options: [
      {
        flags: '-f, --format <format>',
        description: 'how to print the rows; parquet and arrow (an IPC stream) are bytes, not for a terminal',
        choices: ['table', 'csv', 'json', 'ndjson', 'parquet', 'arrow'],
        default: 'table',
      },
      { flags: '--file <file>', description: 'read the statement from a file, - for standard input', value: 'file' },
      {
        flags: '--param <name=value>',
        description: 'what $name in the statement stands for; may be repeated',
        value: 'text',
        reads: 'each',
      },
      {
        flags: '--limit <rows>',
        description: 'print at most so many rows; 0 for all (default: 1000 for a table, else all)',
        reads: 'count',
      },
      { flags: '-o, --output <file>', description: 'write to a file', value: 'file' },
      {
        flags: '--as-of <when>',
        description: 'ask the lake as it was: when a run had finished, at a time (UTC), or at a revision (@123)',
        value: 'run',
      },
      {
        flags: '--allow <path>',
        description: 'a file, or a directory with all in it, that the statement may read besides; may be repeated',
        value: 'file',
        reads: 'each',
      },
      { flags: '--timing', description: 'say at the end how many rows, how long, and which files were opened' },
      { flags: '--explain', description: 'instead of rows: which files would be opened, and the plan of DuckDB' },
      { flags: '--analyze', description: 'run it, and print the plan with the time of each step instead of rows' },
    ],
    json: 'print a JSON array with one object per row, as --format json does; another --format wins. --timing: one JSON line on standard error; --explain, --analyze: a JSON object',
    examples: [
      'lakehouse query "SELECT symbol, count(*) FROM silver.klines GROUP BY 1"',
      'lakehouse query --file report.sql --param symbol=BTCUSDT --format parquet --output report.parquet',
      'lakehouse query "FROM silver.klines WHERE date = \'2024-01-31\'" --explain',
    ],
  },
  {
    name: 'shell',
    group: 'Look',
    summary: 'ask the lake in SQL, one statement after another',
    description:
      'Each statement ends with a semicolon and sees the lake as it is then, as `query` does. Tab completes tables, columns and words of SQL; .help lists the commands of the shell; Ctrl-C stops what is running, Ctrl-D leaves. Statements are remembered in ~/.lakehouse_history, but not those that begin with a space.\nWhere standard input is no terminal its statements are run until one fails.',
    options: [
      {
        flags: '-f, --format <format>',
        description: 'how to print the rows; .format changes it',
        choices: ['table', 'csv', 'json', 'ndjson', 'parquet', 'arrow'],
        default: 'table',
      },
      {
        flags: '--limit <rows>',
        description: 'print at most so many rows of each; 0 for all (default: 1000 for a table, else all)',
        reads: 'count',
      },
      {
        flags: '--param <name=value>',
        description: 'what $name in statements stands for, as .param has it; may be repeated',
        value: 'text',
        reads: 'each',
      },
      { flags: '--as-of <when>', description: 'ask the lake as it was; see query, and .asof', value: 'run' },
      {
        flags: '--allow <path>',
        description: 'a file, or a directory with all in it, that statements may read besides; may be repeated',
        value: 'file',
        reads: 'each',
      },
      { flags: '--timing', description: 'say after each how many rows, how long, and which files were opened' },
      { flags: '--keep-going', description: 'go on after a statement that failed, where there is no terminal' },
      { flags: '--no-history', description: 'remember nothing' },
    ],
    json: 'print one JSON object per line for each row (NDJSON), errors too; another --format wins',
    examples: ['lakehouse shell', 'lakehouse shell --as-of last --timing'],
  },
  {
    name: 'export',
    group: 'Look',
    summary: "list what other programs can be told of; 'export duckdb' and 'export dbt' tell them",
    description: 'Lists the tables that exports have, and how many files each has now. Writes nothing.',
    json: OBJECT,
    examples: ['lakehouse export'],
    commands: [
      {
        name: 'duckdb',
        group: 'Look',
        summary: 'write a DuckDB database file with a view of each table',
        description:
          'Zones are schemas. Views read the files of the lake as they are now: when a run replaces files they fail, and the export has to be made again. With --data the file has the rows themselves, and stands alone. Original files are left out.',
        arguments: [{ name: '<file>', description: 'the database file, e.g. lake.duckdb', value: 'file' }],
        options: [
          { flags: '--data', description: 'copy the rows into tables' },
          { flags: '--force', description: 'replace a file that is there' },
        ],
        json: OBJECT,
        examples: ['lakehouse export duckdb lake.duckdb', 'lakehouse export duckdb lake.duckdb --data --force'],
      },
      {
        name: 'dbt',
        group: 'Look',
        summary: 'write the tables as sources of a dbt project (YAML)',
        description:
          'One source per zone: tables with their columns, checks that dbt knows, freshness by data time, and for dbt-duckdb where the files are now. When a run replaces files the export has to be made again, unless --glob lets dbt-duckdb look for them.',
        options: [
          { flags: '-o, --output <file>', description: 'write to a file', value: 'file' },
          {
            flags: '--glob',
            description: 'name directories instead of files: right as long as no run is working and no file is kept',
          },
        ],
        json: 'print one JSON object: the sources, or with --output what was written',
        examples: ['lakehouse export dbt', 'lakehouse export dbt --output models/sources.yml'],
      },
    ],
  },
  {
    name: 'runs',
    group: 'Look',
    summary: "list runs, latest first; 'runs show <run>' shows one",
    options: [
      { flags: '--limit <runs>', description: 'list at most so many', reads: 'positive', default: '20' },
      tag('only runs with this tag, e.g. reason=backfill'),
    ],
    json: 'print a JSON array with one object per run',
    examples: ['lakehouse runs', 'lakehouse runs --tag reason=backfill', 'lakehouse runs show last'],
    commands: [
      {
        name: 'show',
        group: 'Look',
        summary: 'show what a run did and what went wrong in it',
        arguments: [
          { name: '<run>', description: "id of a run or its beginning; 'last' for the latest", value: 'run' },
        ],
        json: `${OBJECT} with all that the log has of the run: every partition, every error`,
        examples: ['lakehouse runs show last', 'lakehouse runs show last --json'],
      },
    ],
  },
  {
    name: 'config',
    group: 'Look',
    summary: 'show the settings in force and where each comes from',
    options: [{ flags: '-v, --verbose', description: 'also what each means and how the environment sets it' }],
    json: OBJECT,
    examples: ['lakehouse config', 'lakehouse config --verbose --profile production'],
  },
  {
    name: 'verify',
    group: 'Keep',
    summary: 'check files and log against each other',
    description:
      'Reads every current file and compares size and SHA-256 with the log; on S3 only sizes, unless --deep fetches all. Exit code 1 when something is wrong.',
    options: [{ flags: '--deep', description: 'also recompute the data version of every partition' }],
    json: OBJECT,
    examples: ['lakehouse verify', 'lakehouse verify --deep'],
  },
  {
    name: 'gc',
    group: 'Keep',
    summary: 'remove files and events that nothing needs any more',
    description:
      'Removes superseded files, files that the log does not know, unfinished writes of dead processes, and old events. Only shows them without --yes. Files of assets that are no longer defined are named and left alone; see wipe.',
    options: [
      { flags: '--dry-run', description: 'show what would be removed; so it is without --yes' },
      {
        flags: '--excluded',
        description: 'also files of partitions that the settings no longer want, originals included',
      },
      { flags: '-y, --yes', description: 'remove them' },
      {
        flags: '--grace <duration>',
        description: 'spare what is younger, e.g. 30m, 12h, 2d',
        reads: 'duration',
        default: '1h',
      },
    ],
    json: OBJECT,
    examples: ['lakehouse gc', 'lakehouse gc --yes --grace 12h'],
  },
  {
    name: 'wipe',
    group: 'Keep',
    summary: 'take partitions out of the lake',
    description:
      'The partitions leave the lake; what read them becomes stale, and the next run computes them again. Shows them and asks first. An asset that is no longer defined is wiped whole, by its old name.',
    arguments: [asset],
    options: [partitions, { flags: '-y, --yes', description: 'do it without asking' }],
    json: `${OBJECT}; nobody is asked, so --yes is needed`,
    examples: ['lakehouse wipe silver/klines -p symbol=BTCUSDT,date=2020-01', 'lakehouse wipe gold/indicators'],
  },
  {
    name: 'catalogue',
    group: 'Keep',
    summary: "show what other engines read the lake by; 'catalogue sync' writes it",
    description:
      'Shows what _catalog.json says of each asset, and whether that is what the log says. Every run that changes something writes it, and registers the tables in AWS Glue where catalogue.glue is set.',
    json: `${OBJECT} with the catalogue and the assets of which it is behind the log`,
    examples: ['lakehouse catalogue', 'lakehouse catalogue --json'],
    commands: [
      {
        name: 'sync',
        group: 'Keep',
        summary: 'write the catalogue, and what is in AWS Glue, anew',
        description:
          'Describes every asset anew, whatever is there, and removes documents that writers have left who died. Exit code 1 when something could not be registered in Glue.',
        options: [{ flags: '--dry-run', description: 'only say what would be written' }],
        json: OBJECT,
        examples: ['lakehouse catalogue sync', 'lakehouse catalogue sync --dry-run --json'],
      },
    ],
  },
  {
    name: 'init',
    group: 'More',
    summary: 'make the project of a new lake: assets, settings, a test',
    description:
      'Writes a project that works as it is, in TypeScript that Node runs without a build. `minimal`: trades from CSV files to prices per day. `crypto`: the market data of this package, and an asset of your own beside it. Nothing is overwritten.',
    arguments: [{ name: '[directory]', description: 'where; here when absent', value: 'file' }],
    options: [
      { flags: '--template <name>', description: 'what to begin with', choices: TEMPLATES, default: 'minimal' },
      { flags: '--force', description: 'add what is missing to a directory that is not empty' },
      {
        flags: '--package <spec>',
        description:
          'where the project gets crypto-lakehouse from: a version, file:…; as this program was had, when absent',
        value: 'text',
      },
    ],
    json: OBJECT,
    examples: ['lakehouse init my-lake', 'lakehouse init my-lake --template crypto'],
  },
  {
    name: 'new',
    group: 'More',
    summary: 'write the module of a new asset, and a test of it',
    description:
      'Writes assets/<key>.ts, with the dimensions and columns of what it reads as a proposal, and test/<key>.test.ts. Adds it to the list of assets in the definitions module where that is written as one; otherwise says what to add.',
    arguments: [
      { name: '<kind>', description: 'what is to be new', value: 'text', choices: ['asset'] },
      { name: '<key>', description: 'its key, e.g. gold/spread', value: 'text' },
    ],
    options: [
      { flags: '--from <asset>', description: 'the asset or source that it reads', value: 'asset' },
      {
        flags: '--partitions <dimensions>',
        description: 'names of its dimensions, e.g. symbol,date; those of --from when absent',
        value: 'text',
      },
      { flags: '--sql', description: 'computed by a query; so it is when nothing is said' },
      { flags: '--function', description: 'computed by a function in TypeScript' },
    ],
    json: OBJECT,
    examples: [
      'lakehouse new asset gold/spread --from silver/klines',
      'lakehouse new asset gold/volume --from silver/klines --partitions exchange,market,date --function',
    ],
  },
  {
    name: 'completion',
    group: 'More',
    summary: 'print the completion script of a shell',
    arguments: [{ name: '<shell>', description: 'the shell', value: 'shell', choices: ['bash', 'zsh', 'fish'] }],
    examples: [
      'lakehouse completion bash > ~/.local/share/bash-completion/completions/lakehouse',
      "lakehouse completion zsh > ~/.zfunc/_lakehouse  # with 'fpath=(~/.zfunc $fpath)' before compinit in ~/.zshrc",
      'lakehouse completion fish > ~/.config/fish/completions/lakehouse.fish',
    ],
  },
  {
    name: 'help',
    group: 'More',
    summary: 'print the help of a command',
    arguments: [
      { name: '[command...]', description: 'words of the command; all commands when absent', value: 'command' },
    ],
    examples: ['lakehouse help materialize', 'lakehouse help runs show'],
  },
  {
    name: '__complete',
    group: 'More',
    summary: 'candidates for the last word',
    arguments: [{ name: '[words...]', description: 'the words so far, the last one unfinished', value: 'text' }],
    hidden: true,
  },
];
