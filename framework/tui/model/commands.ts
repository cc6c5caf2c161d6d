import type { Screen, UiState } from './state.ts';

/** Something a key does. Footer, help, palette and documents are made from these. */
export interface Command {
  readonly id: CommandId;
  readonly keys: readonly string[];
  /** A word or two, for the footer. */
  readonly label: string;
  /** A sentence, for help. */
  readonly help: string;
  readonly group: 'Screens' | 'Move' | 'Look' | 'Act' | 'Program';
  /** Where it is of use; everywhere when absent. */
  readonly screens?: readonly Screen[];
  /** Why it cannot be used now. */
  readonly disabled?: (state: UiState) => string | undefined;
  /** Whether the footer mentions it, the lower the earlier. */
  readonly footer?: number;
}

export type CommandId = (typeof TABLE)[number]['id'];

/** Why nothing can be done to the lake at all. */
export const READ_ONLY = 'the lake was opened with --read-only';
const writes = ({ readOnly }: UiState) => (readOnly ? READ_ONLY : undefined);
const works = (state: UiState) => writes(state) ?? (state.job ? 'a run is going on' : undefined);
const needsSchedule = ({ schedules: { rows, cursor } }: UiState) =>
  rows?.[cursor] ? undefined : 'there is no schedule';
const needsAsset = ({ asset }: UiState) => (asset === undefined ? 'no asset is chosen' : undefined);

const TABLE = [
  { id: 'assets', keys: ['1'], label: 'Assets', help: 'All assets: how fresh, how much, when.', group: 'Screens' },
  { id: 'lineage', keys: ['2'], label: 'Lineage', help: 'The graph of assets.', group: 'Screens' },
  {
    id: 'partitions',
    keys: ['3'],
    label: 'Partitions',
    help: 'The heat map of the chosen asset.',
    group: 'Screens',
    disabled: needsAsset,
  },
  { id: 'runs', keys: ['4'], label: 'Runs', help: 'Runs, and what is running.', group: 'Screens' },
  { id: 'checks', keys: ['5'], label: 'Checks', help: 'Checks and what they found.', group: 'Screens' },
  { id: 'schedules', keys: ['6'], label: 'Schedules', help: 'Schedules and their next ticks.', group: 'Screens' },
  {
    id: 'data',
    keys: ['7'],
    label: 'Data',
    help: 'Rows of the chosen asset, and an SQL prompt.',
    group: 'Screens',
    disabled: needsAsset,
  },
  { id: 'next-screen', keys: ['tab'], label: 'next', help: 'The next screen.', group: 'Screens' },
  { id: 'previous-screen', keys: ['shift+tab'], label: 'previous', help: 'The screen before.', group: 'Screens' },

  { id: 'down', keys: ['j', 'down'], label: 'down', help: 'Down.', group: 'Move' },
  { id: 'up', keys: ['k', 'up'], label: 'up', help: 'Up.', group: 'Move' },
  { id: 'left', keys: ['h', 'left'], label: 'left', help: 'Left; in the tree, close.', group: 'Move' },
  { id: 'right', keys: ['l', 'right'], label: 'right', help: 'Right; in the tree, open.', group: 'Move' },
  { id: 'page-down', keys: ['pagedown', 'ctrl+f'], label: 'page', help: 'A page down.', group: 'Move' },
  { id: 'page-up', keys: ['pageup', 'ctrl+b'], label: 'page up', help: 'A page up.', group: 'Move' },
  { id: 'first', keys: ['g', 'home'], label: 'first', help: 'To the beginning.', group: 'Move' },
  { id: 'last', keys: ['G', 'end'], label: 'last', help: 'To the end.', group: 'Move' },
  { id: 'open', keys: ['enter'], label: 'open', help: 'Into what is under the cursor.', group: 'Move', footer: 1 },
  {
    id: 'back',
    keys: ['escape'],
    label: 'back',
    help: 'Back to where you came from; drops a filter first.',
    group: 'Move',
  },

  {
    id: 'filter',
    keys: ['/'],
    label: 'filter',
    help: 'Filter the list, the graph (a selection) or the log.',
    screens: ['assets', 'lineage', 'runs', 'checks'],
    group: 'Look',
    footer: 3,
  },
  {
    id: 'explain',
    keys: ['e'],
    label: 'explain',
    help: 'Why this partition is as it is.',
    group: 'Look',
    screens: ['partitions', 'checks'],
    footer: 2,
  },
  { id: 'group', keys: ['t'], label: 'group', help: 'Group by zone or by group.', group: 'Look', screens: ['assets'] },
  {
    id: 'toggle',
    keys: ['space'],
    label: 'fold',
    help: 'Open or close a heading; mark a range.',
    group: 'Look',
    screens: ['assets', 'partitions'],
  },
  {
    id: 'expand-up',
    keys: ['u'],
    label: 'upstream',
    help: 'One level more upstream.',
    group: 'Look',
    screens: ['lineage'],
    footer: 2,
  },
  {
    id: 'expand-down',
    keys: ['d'],
    label: 'downstream',
    help: 'One level more downstream.',
    group: 'Look',
    screens: ['lineage'],
    footer: 2,
  },
  {
    id: 'collapse-up',
    keys: ['U'],
    label: 'less upstream',
    help: 'One level less upstream.',
    group: 'Look',
    screens: ['lineage'],
  },
  {
    id: 'collapse-down',
    keys: ['D'],
    label: 'less downstream',
    help: 'One level less downstream.',
    group: 'Look',
    screens: ['lineage'],
  },
  { id: 'all', keys: ['a'], label: 'all', help: 'The whole graph.', group: 'Look', screens: ['lineage'], footer: 4 },
  {
    id: 'next-column',
    keys: [']'],
    label: 'next column',
    help: 'Follow the next column of the asset in focus.',
    group: 'Look',
    screens: ['lineage'],
    footer: 6,
  },
  {
    id: 'previous-column',
    keys: ['['],
    label: 'column before',
    help: 'Follow the column before.',
    group: 'Look',
    screens: ['lineage'],
  },
  {
    id: 'density',
    keys: ['b'],
    label: 'boxes',
    help: 'Boxes, lines, or what fits.',
    group: 'Look',
    screens: ['lineage'],
  },
  {
    id: 'zoom-out',
    keys: ['-', 'z'],
    label: 'zoom out',
    help: 'Months, then years.',
    group: 'Look',
    screens: ['partitions'],
    footer: 3,
  },
  { id: 'zoom-in', keys: ['+', '=', 'Z'], label: 'zoom in', help: 'Nearer.', group: 'Look', screens: ['partitions'] },
  {
    id: 'mark',
    keys: ['v'],
    label: 'range',
    help: 'Begin or end a range.',
    group: 'Look',
    screens: ['partitions'],
    footer: 4,
  },
  {
    id: 'next-problem',
    keys: ['n'],
    label: 'next problem',
    help: 'The next cell that is not fresh; the next hit of a search.',
    group: 'Look',
    screens: ['partitions', 'runs'],
    footer: 2,
  },
  {
    id: 'previous-problem',
    keys: ['N'],
    label: 'last problem',
    help: 'The one before.',
    group: 'Look',
    screens: ['partitions', 'runs'],
  },
  {
    id: 'rows-axis',
    keys: ['x'],
    label: 'rows',
    help: 'Another dimension down.',
    group: 'Look',
    screens: ['partitions'],
  },
  {
    id: 'columns-axis',
    keys: ['X'],
    label: 'columns',
    help: 'Another dimension to the right.',
    group: 'Look',
    screens: ['partitions'],
  },
  {
    id: 'next-value',
    keys: [']'],
    label: 'next value',
    help: 'The next value of the dimension that is on no axis.',
    group: 'Look',
    screens: ['partitions'],
  },
  {
    id: 'previous-value',
    keys: ['['],
    label: 'last value',
    help: 'The value before.',
    group: 'Look',
    screens: ['partitions'],
  },
  { id: 'date', keys: ['@'], label: 'date', help: 'Go to a date.', group: 'Look', screens: ['partitions'] },
  {
    id: 'follow',
    keys: ['f'],
    label: 'follow',
    help: 'Keep the end of the log in sight.',
    group: 'Look',
    screens: ['runs'],
  },
  { id: 'log-only', keys: ['L'], label: 'log', help: 'The log alone.', group: 'Look', screens: ['runs'] },
  {
    id: 'scroll-down',
    keys: ['J'],
    label: 'more',
    help: 'Scroll the details down.',
    group: 'Look',
    screens: ['checks', 'schedules'],
  },
  {
    id: 'scroll-up',
    keys: ['K'],
    label: 'less',
    help: 'Scroll the details up.',
    group: 'Look',
    screens: ['checks', 'schedules'],
  },
  { id: 'sql', keys: ['s'], label: 'SQL', help: 'Ask the lake in SQL.', group: 'Look', screens: ['data'], footer: 2 },

  {
    id: 'pause',
    keys: ['p'],
    label: 'pause',
    help: 'Pause the schedule, sensor or conditions, or let them go on.',
    group: 'Act',
    screens: ['schedules'],
    disabled: (state: UiState) => writes(state) ?? needsSchedule(state),
    footer: 2,
  },
  {
    id: 'run-now',
    keys: ['x'],
    label: 'run now',
    help: 'Do what the schedule, sensor or conditions do, now; twice to confirm.',
    group: 'Act',
    screens: ['schedules'],
    disabled: (state: UiState) => works(state) ?? needsSchedule(state),
    footer: 2,
  },
  {
    id: 'materialize',
    keys: ['m'],
    label: 'materialize',
    help: 'Compute what is stale of the selection; shows the plan first.',
    group: 'Act',
    disabled: works,
    footer: 2,
  },
  {
    id: 'materialize-up',
    keys: ['M'],
    label: 'with upstream',
    help: 'The same with everything it reads.',
    group: 'Act',
    disabled: works,
  },
  {
    id: 'force',
    keys: ['F'],
    label: 'force',
    help: 'Compute the selection, stale or not.',
    group: 'Act',
    disabled: works,
  },
  { id: 'retry', keys: ['R'], label: 'retry', help: 'Try again what failed.', group: 'Act', disabled: works },
  {
    id: 'observe',
    keys: ['o'],
    label: 'observe',
    help: 'Look at the sources.',
    group: 'Act',
    disabled: works,
    footer: 5,
  },
  {
    id: 'wipe',
    keys: ['W'],
    label: 'wipe',
    help: 'Take the selected partitions out of the lake; asks first.',
    group: 'Act',
    disabled: (state: UiState) => works(state) ?? needsAsset(state),
  },
  {
    id: 'cancel',
    keys: ['c'],
    label: 'cancel',
    help: 'Stop the run of this program; twice stops it now.',
    group: 'Act',
    disabled: ({ job }: UiState) => (job ? undefined : 'no run of this program is going on'),
  },
  { id: 'copy', keys: ['y'], label: 'copy key', help: 'Copy the key under the cursor.', group: 'Act' },
  {
    id: 'copy-path',
    keys: ['P'],
    label: 'copy path',
    help: 'Copy the path of the file.',
    group: 'Act',
    screens: ['partitions'],
  },
  {
    id: 'copy-command',
    keys: ['Y'],
    label: 'copy command',
    help: 'Copy the shell command that gives the same.',
    group: 'Act',
  },

  {
    id: 'palette',
    keys: [':', 'ctrl+p'],
    label: 'command',
    help: 'Find a command or an asset by typing.',
    group: 'Program',
    footer: 8,
  },
  { id: 'help', keys: ['?'], label: 'help', help: 'This.', group: 'Program', footer: 9 },
  { id: 'refresh', keys: ['r'], label: 'refresh', help: 'Read everything again.', group: 'Program' },
  {
    id: 'quit',
    keys: ['q', 'ctrl+c'],
    label: 'quit',
    help: 'Leave. A run of this program is asked to stop first.',
    group: 'Program',
    footer: 10,
  },
  {
    id: 'suspend',
    keys: ['ctrl+z'],
    label: 'suspend',
    help: 'Back to the shell for a while; fg returns.',
    group: 'Program',
  },
] as const satisfies readonly (Omit<Command, 'id'> & { readonly id: string })[];

export const COMMANDS: readonly Command[] = TABLE;

/** What a key means on a screen. What is for this screen alone comes before what is for all. */
export function commandFor(screen: Screen, key: string): Command | undefined {
  const all = COMMANDS.filter(({ keys, screens }) => keys.includes(key) && (screens?.includes(screen) ?? true));
  return all.find(({ screens }) => screens !== undefined) ?? all[0];
}

export const commandsOf = (screen: Screen): Command[] =>
  COMMANDS.filter((command) => command.screens?.includes(screen) ?? true);
