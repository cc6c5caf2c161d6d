import { applyFilter, parseFilter } from '../../partition/filter.ts';
import * as sets from '../../partition/set.ts';
import { printKey } from '../../partition/space.ts';
import { presentSet } from '../../plan/universe.ts';
import { COMMANDS, type CommandId, commandFor } from '../model/commands.ts';
import type { Size } from '../model/data.ts';
import { selectorsOf } from '../model/heat-axes.ts';
import {
  cycleColumns,
  cycleRows,
  cycleSelector,
  fitted,
  goTo as goToCell,
  type HeatState,
  moveBy,
  pageBy,
  problemStatuses,
  toDate,
  toEdge,
  toggleMark,
  zoomBy,
} from '../model/heatmap.ts';
import { keysOf } from '../model/keys.ts';
import { EMPTY_LINE, edit, lineOf } from '../model/line.ts';
import {
  collapse,
  type Direction,
  expand,
  filterLineage,
  focusOn,
  follow,
  type LineageState,
  moveFocus,
  showAll,
  stepColumn,
} from '../model/lineage.ts';
import {
  DATA_TABS,
  EMPTY_LIST,
  goBack,
  goTo,
  type ListState,
  moved,
  type Overlay,
  SCREENS,
  type Screen,
  type UiState,
  type WorkRequest,
} from '../model/state.ts';
import { assetTree } from '../model/tree.ts';
import { previewData, problemOf, runSql } from '../read/data.ts';
import { findCell, type HeatIndex, heatMap, heatShape, worstIn } from '../read/heatmap.ts';
import { lineageInfo } from '../read/lineage.ts';
import { detailLines } from '../view/detail.ts';
import { bodySize } from '../view/frame.ts';
import { helpScroll } from '../view/help.ts';
import { heatLayout } from '../view/partitions.ts';
import { createTheme } from '../view/theme.ts';
import { defaultHeat, matchingChecks, matchingRuns } from './draw.ts';
import { drawingOf } from './drawing.ts';
import { helpGroups, paletteEntries } from './menus.ts';
import type { Session, Update } from './session.ts';
import { selectedPartitions, shellCommand } from './shell.ts';

export interface ControllerOptions {
  readonly session: Session;
  /** Of the terminal as it is. */
  readonly size: () => Size;
  readonly now: () => number;
  /** How the shell calls this program. */
  readonly program: string;
  /** Puts a text on the clipboard. */
  readonly copy: (text: string) => void;
  readonly quit: () => void;
  readonly suspend: () => void;
}

const OF_A_CELL: ReadonlySet<CommandId> = new Set(['open', 'explain', 'data', 'copy', 'copy-path']);
/** How long the cursor must rest before the cell is looked up: a large event takes a tenth of a second to read. */
const EXPLAIN_MS = 50;
/** For measuring: colours take no room. */
const PLAIN = createTheme('none', true);
/** Rows of a preview, and of an answer. */
const ROWS = 500;

/** What keys do: one at a time, by their names. */
export function createController(options: ControllerOptions): {
  press(key: string): void;
  /** Text that came at once: typed where one types, nothing where its letters would be commands. */
  paste(text: string): void;
  screenShown(): void;
} {
  const { session, size, program } = options;
  const { store, graph } = session;
  const state = () => store.get();
  const change = (update: Update) => store.dispatch(update);
  const patch = (some: Partial<UiState>) => change((before) => ({ ...before, ...some }));
  const body = () => bodySize(size());
  let previewing: AbortController | undefined;
  let querying: AbortController | undefined;
  let previewed = '';

  // --- screens ---------------------------------------------------------------------------------------------------------------

  const show = (screen: Screen, more: Partial<UiState> = {}) => {
    change((before) => goTo(before, screen, more));
    screenShown();
  };
  /** Reads what the screen that is shown now needs. */
  const screenShown = () => {
    const { screen, runs, lineage, asset } = state();
    if (screen === 'runs') session.load(runs.open === undefined ? 'runs' : 'run');
    if (screen === 'checks') session.load('checks');
    if (screen === 'data') preview();
    if (screen === 'partitions') explainCell();
    if (screen === 'lineage') {
      const focus = asset !== undefined && asset !== lineage.focus && lineage.shown.includes(asset) ? asset : undefined;
      setLineage(focus === undefined ? lineage : focusOn(lineage, graph, focus));
    }
  };
  const choose = (asset: string | undefined) => {
    if (asset !== undefined && asset !== state().asset) patch({ asset, detail: undefined });
  };

  // --- lists -----------------------------------------------------------------------------------------------------------------

  const entries = () => {
    const { assets } = state();
    return assets.rows ? assetTree(assets.rows, assets) : [];
  };
  const entryAt = () => entries()[state().assets.cursor];
  const setAssets = (to: number) => {
    change((before) => ({ ...before, assets: moved(before.assets, to, entries().length) }));
    const entry = entryAt();
    if (entry?.type === 'asset') choose(entry.row.key);
  };
  const runAt = () => matchingRuns(state())?.[state().runs.cursor];
  const checkAt = () => matchingChecks(state())?.[state().checks.cursor];

  /** The cursor of the list on the screen, moved by so many rows or to an end. */
  const moveList = (by: number | 'first' | 'last') => {
    const { screen, runs, checks, assets, schedules, data } = state();
    const target = (cursor: number, length: number) => (by === 'first' ? 0 : by === 'last' ? length - 1 : cursor + by);
    if (screen === 'assets') setAssets(target(assets.cursor, entries().length));
    else if (screen === 'schedules') patch({ schedules: moved(schedules, target(schedules.cursor, 0), 0) });
    else if (screen === 'checks') {
      const length = matchingChecks(state())?.length ?? 0;
      patch({ checks: { ...moved(checks, target(checks.cursor, length), length), detailOffset: 0 } });
      choose(checkAt()?.asset);
    } else if (screen === 'runs' && runs.open === undefined) {
      const length = matchingRuns(state())?.length ?? 0;
      patch({ runs: moved(runs, target(runs.cursor, length), length) });
    } else if (screen === 'runs') scrollLog(by);
    else if (screen === 'data') {
      const rows = data.tab === 'sql' ? data.sql.result?.rows.length : data.preview?.first.rows.length;
      const last = Math.max((rows ?? 0) - 1, 0);
      const to = data.tab === 'statistics' ? (data.preview?.stats.length ?? 1) - 1 : last;
      patch({ data: { ...data, row: Math.min(Math.max(target(data.row, to + 1), 0), Math.max(to, 0)) } });
    }
  };
  const scrollLog = (by: number | 'first' | 'last') => {
    const { runs } = state();
    const length = runs.detail?.lines.length ?? 0;
    const { log } = runs;
    const from = log.follow ? Math.max(length - body().rows, 0) : log.offset;
    const offset =
      by === 'first' ? 0 : by === 'last' ? length : Math.min(Math.max(from + by, 0), Math.max(length - 1, 0));
    patch({ runs: { ...runs, log: { ...log, offset, follow: by === 'last' } } });
  };

  // --- lineage -----------------------------------------------------------------------------------------------------------------

  const setLineage = (next: LineageState) => {
    const { layout } = drawingOf(graph, next, body());
    patch({ lineage: follow(next, layout, body()) });
    choose(next.focus);
  };
  const moveLineage = (direction: Direction) => {
    const { lineage } = state();
    setLineage(moveFocus(lineage, graph, drawingOf(graph, lineage, body()).layout, direction));
  };

  // --- heat map ----------------------------------------------------------------------------------------------------------------

  const heat = (): { index: HeatIndex; own: HeatState } | undefined => {
    const { asset, heat: all } = state();
    const index = asset === undefined ? undefined : session.heat(asset);
    if (!index || asset === undefined) return undefined;
    return { index, own: all.get(asset) ?? defaultHeat(index, body()) };
  };
  const setHeat = (
    make: (
      own: HeatState,
      shape: ReturnType<typeof heatShape>,
      window: { rows: number; columns: number },
    ) => HeatState | undefined,
  ) => {
    const found = heat();
    const { asset } = state();
    if (!found || asset === undefined) return;
    const shape = heatShape(found.index, found.own);
    const { window } = heatLayout(body(), shape, found.own);
    const made = make(fitted(found.own, shape, window), shape, window);
    if (!made) return;
    const after = heatShape(found.index, made);
    const next = fitted(made, after, heatLayout(body(), after, made).window);
    change((before) => ({ ...before, heat: new Map(before.heat).set(asset, next) }));
    explainCell();
  };
  let explaining: NodeJS.Timeout | undefined;
  const explainNow = () => {
    clearTimeout(explaining);
    explaining = undefined;
    const found = heat();
    const { asset } = state();
    if (!found || asset === undefined) return;
    const ref = worstIn(found.index, found.own, found.own.row, found.own.column);
    if (!ref) patch({ detail: undefined });
    else session.explain(asset, printKey(graph.node(asset).definition.space, ref));
  };
  /** What is said of the cell under the cursor, once keys have stopped coming. */
  const explainCell = () => {
    clearTimeout(explaining);
    explaining = setTimeout(explainNow, EXPLAIN_MS);
  };

  // --- data --------------------------------------------------------------------------------------------------------------------

  const preview = () => {
    const { asset, data } = state();
    if (asset === undefined) return;
    const wanted = `${asset}\n${data.partition ?? ''}\n${session.snapshot()?.view.head ?? 0}`;
    if (wanted === previewed) return;
    previewed = wanted;
    previewing?.abort(new Error('superseded'));
    const own = new AbortController();
    previewing = own;
    patch({ data: { ...data, preview: undefined, error: undefined, row: 0, column: 0 } });
    previewData(
      session.lake(),
      asset,
      data.partition,
      { rows: ROWS, candles: Math.max(size().columns - 14, 20) },
      own.signal,
    ).then(
      (found) => {
        if (!own.signal.aborted) change((before) => ({ ...before, data: { ...before.data, preview: found } }));
      },
      (error: unknown) => {
        if (!own.signal.aborted) change((before) => ({ ...before, data: { ...before.data, error: problemOf(error) } }));
      },
    );
  };
  const runQuery = () => {
    const { data } = state();
    const text = data.sql.line.text.trim();
    if (text === '' || data.sql.running) return;
    const own = new AbortController();
    querying = own;
    const started = options.now();
    const history = [...data.sql.history.filter((one) => one !== text), text];
    const sql = { ...data.sql, running: true, error: undefined, history, at: undefined };
    patch({ data: { ...data, sql, row: 0, column: 0 } });
    const end = (more: Partial<UiState['data']['sql']>) =>
      change((before) => ({
        ...before,
        data: { ...before.data, sql: { ...before.data.sql, running: false, ...more } },
      }));
    runSql(session.lake(), text, ROWS, own.signal).then(
      (result) => end({ result, tookMs: options.now() - started }),
      (error: unknown) => end(own.signal.aborted ? {} : { error: problemOf(error) }),
    );
  };
  const typeSql = (typing: boolean) => {
    const { data } = state();
    patch({ data: { ...data, tab: 'sql', sql: { ...data.sql, typing } } });
  };
  const leaf = (by: 1 | -1) => {
    const { data } = state();
    const { history, at = history.length } = data.sql;
    const next = Math.min(Math.max(at + by, 0), history.length);
    if (next === at) return;
    const line = lineOf(history[next] ?? '');
    patch({ data: { ...data, sql: { ...data.sql, line, at: next === history.length ? undefined : next } } });
  };
  const pressSql = (key: string) => {
    const { data } = state();
    if (key === 'escape') typeSql(false);
    else if (key === 'enter') runQuery();
    else if (key === 'up') leaf(-1);
    else if (key === 'down') leaf(1);
    else if (key === 'ctrl+c') {
      querying?.abort(new Error('It was stopped'));
      typeSql(false);
    } else {
      const line = edit(data.sql.line, key);
      if (line) patch({ data: { ...data, sql: { ...data.sql, line, at: undefined } } });
    }
  };

  // --- work --------------------------------------------------------------------------------------------------------------------

  /** What the cursor is on: the selection of assets, and partitions of it. */
  const selected = (): { selection: string; partitions: string | undefined } | undefined => {
    const now = state();
    if (now.screen === 'assets') {
      const entry = entryAt();
      if (entry?.type === 'asset') return { selection: entry.row.key, partitions: undefined };
      if (entry?.type === 'zone') return { selection: `${entry.name}/*`, partitions: undefined };
      return entry && { selection: `group:${entry.name}`, partitions: undefined };
    }
    if (now.screen === 'runs') {
      const run = now.runs.open === undefined ? runAt() : now.runs.detail?.row;
      return run && { selection: run.selection, partitions: undefined };
    }
    if (now.asset === undefined) return undefined;
    const partitions = now.screen === 'partitions' ? selectedPartitions(now, session) : undefined;
    return { selection: now.asset, partitions };
  };
  const propose = (more: Partial<WorkRequest> & { upstream?: boolean }) => {
    const found = selected();
    if (!found) return patch({ message: { kind: 'info', text: 'Nothing is selected.' } });
    const { upstream = false, ...rest } = more;
    const plain = /^[\w/.*:-]+$/.test(found.selection);
    const selection = upstream ? (plain ? `+${found.selection}` : `+(${found.selection})`) : found.selection;
    const request: WorkRequest = { force: false, retryFailed: false, ...found, selection, ...rest };
    patch({ overlay: { type: 'plan', request, plan: undefined, offset: 0 } });
    session.plan(request);
  };
  const askToWipe = () => {
    const { asset } = state();
    if (asset === undefined) return;
    const partitions = selected()?.partitions;
    const node = graph.node(asset);
    const { space } = node.definition;
    const present = presentSet({ ...node, space }, session.lake().state.index().asset(asset));
    const set = partitions === undefined ? present : applyFilter(space, present, parseFilter(partitions));
    const count = sets.countOf(set);
    if (count === 0) return patch({ message: { kind: 'info', text: 'None of these partitions has content.' } });
    const below = graph.downstreamOf(asset);
    patch({
      overlay: {
        type: 'wipe',
        asset,
        partitions,
        consequences: [
          `${count} of its partitions leave the lake${partitions === undefined ? ', which is all of them' : `: ${partitions}`}.`,
          ...(below.length > 0
            ? [`What was made of them becomes stale in ${below.slice(0, 3).join(', ')} and below.`]
            : []),
          'The next run computes them again, as far as what they are made of is still there.',
        ],
        expected: asset.split('/').at(-1) ?? asset,
        line: EMPTY_LINE,
      },
    });
  };

  // --- commands ----------------------------------------------------------------------------------------------------------------

  const open = () => {
    const now = state();
    if (now.screen === 'assets') {
      const entry = entryAt();
      if (entry?.type === 'asset') show('partitions', { asset: entry.row.key });
      else if (entry) toggleHeading(entry.name);
    } else if (now.screen === 'lineage') show('partitions', { asset: now.lineage.focus });
    else if (now.screen === 'partitions') {
      if (now.detail) change((before) => goTo(before, 'partitions', { explain: { offset: 0 } }));
    } else if (now.screen === 'runs' && now.runs.open === undefined) {
      const run = runAt();
      if (run) show('runs', { runs: { ...now.runs, open: run.run, detail: undefined } });
    } else if (now.screen === 'checks') explainCheck();
    else if (now.screen === 'data') {
      const tab = DATA_TABS[(DATA_TABS.indexOf(now.data.tab) + 1) % DATA_TABS.length] ?? 'rows';
      patch({ data: { ...now.data, tab, row: 0, column: 0 } });
    }
  };
  const explainCheck = () => {
    const row = checkAt();
    const [failure] = row?.failures ?? [];
    if (!row || !failure) return patch({ message: { kind: 'info', text: 'No partition failed this check.' } });
    session.explain(row.asset, failure.partition);
    change((before) => goTo(before, 'checks', { asset: row.asset, explain: { offset: 0 } }));
  };
  const toggleHeading = (name: string) => {
    const { assets } = state();
    const collapsed = new Set(assets.collapsed);
    if (!collapsed.delete(name)) collapsed.add(name);
    patch({ assets: { ...assets, collapsed } });
  };
  const sideways = (by: 1 | -1) => {
    const now = state();
    if (now.explain) return;
    if (now.screen === 'lineage') moveLineage(by < 0 ? 'left' : 'right');
    else if (now.screen === 'partitions') setHeat((own, shape, window) => moveBy(own, shape, window, 0, by));
    else if (now.screen === 'data') {
      const { tab, sql, preview: shown, column } = now.data;
      const columns = (tab === 'sql' ? sql.result : shown?.first)?.columns.length ?? 1;
      patch({ data: { ...now.data, column: Math.min(Math.max(column + by, 0), columns - 1) } });
    } else if (now.screen === 'assets') {
      const all = entries();
      const at = now.assets.cursor;
      const entry = all[at];
      const closes = by < 0;
      if (entry && entry.type !== 'asset' && entry.collapsed !== closes) toggleHeading(entry.name);
      else if (closes && entry?.type === 'asset')
        setAssets(all.findLastIndex((one, i) => i < at && one.type !== 'asset'));
    }
  };
  /** How far an explanation scrolls. */
  const lastOffset = (): number => {
    const { detail } = state();
    const { columns, rows } = body();
    return detail ? Math.max(detailLines(detail, columns - 3, PLAIN).length - rows, 0) : 0;
  };
  const vertical = (by: number) => {
    const now = state();
    if (now.explain) patch({ explain: { offset: Math.min(Math.max(now.explain.offset + by, 0), lastOffset()) } });
    else if (now.screen === 'lineage') moveLineage(by < 0 ? 'up' : 'down');
    else if (now.screen === 'partitions') setHeat((own, shape, window) => moveBy(own, shape, window, by, 0));
    else moveList(by);
  };
  const pages = (by: 1 | -1) => {
    const now = state();
    if (now.screen === 'partitions' && !now.explain) setHeat((own, shape, window) => pageBy(own, shape, window, by, 0));
    else vertical(by * Math.max(body().rows - 3, 1));
  };
  const ends = (end: 'first' | 'last') => {
    const now = state();
    if (now.explain) patch({ explain: { offset: end === 'first' ? 0 : lastOffset() } });
    else if (now.screen === 'lineage') moveLineage(end);
    else if (now.screen === 'partitions') setHeat((own, shape, window) => toEdge(own, shape, window, { columns: end }));
    else moveList(end);
  };
  const back = () => {
    const now = state();
    if (now.message) patch({ message: undefined });
    const list = { assets: now.assets, runs: now.runs, checks: now.checks }[now.screen as 'assets' | 'runs' | 'checks'];
    if (!now.explain && list && list.filter !== '' && !(now.screen === 'runs' && now.runs.open !== undefined))
      return applyTyped(now.screen, '');
    if (now.screen === 'partitions' && !now.explain && heat()?.own.anchor)
      return setHeat((own, shape) => toggleMark(own, shape));
    change(goBack);
    if (state() !== now) screenShown();
  };
  const problem = (by: 1 | -1) => {
    const { screen, runs } = state();
    if (screen === 'runs') return searchLog(by, runs.log.search);
    setHeat((own, shape, window) => {
      const found = heat();
      if (!found) return undefined;
      const { counts } = heatMap(found.index, own, { firstRow: 0, rows: 0, firstColumn: 0, columns: 0 });
      const cell = findCell(found.index, own, own, by, problemStatuses(counts));
      if (!cell) patch({ message: { kind: 'good', text: 'Nothing here is in trouble.' } });
      return cell && goToCell(own, shape, window, cell.row, cell.column);
    });
  };
  const searchLog = (by: 1 | -1, text: string) => {
    const { runs } = state();
    const lines = runs.detail?.lines ?? [];
    const wanted = text.toLowerCase();
    const hits = lines.flatMap((line, i) =>
      `${line.asset ?? ''} ${line.text}`.toLowerCase().includes(wanted) ? [i] : [],
    );
    const from = runs.log.offset;
    const next = by > 0 ? (hits.find((i) => i > from) ?? hits[0]) : (hits.findLast((i) => i < from) ?? hits.at(-1));
    if (next !== undefined) patch({ runs: { ...runs, log: { ...runs.log, offset: next, follow: false } } });
  };
  const copy = (text: string | undefined) => {
    if (text === undefined || text === '')
      return patch({ message: { kind: 'info', text: 'There is nothing to copy here.' } });
    options.copy(text);
    patch({ message: { kind: 'info', text: `Copied: ${text}` } });
  };
  const keyHere = (): string | undefined => {
    const now = state();
    if (now.screen === 'runs') return now.runs.open ?? runAt()?.run;
    if (now.screen === 'partitions' && now.detail) return now.detail.partition || now.detail.asset;
    return now.screen === 'lineage' ? now.lineage.focus : now.asset;
  };
  const tabbed = (by: 1 | -1) => {
    const { screen, asset } = state();
    const all = SCREENS.filter((one) => asset !== undefined || (one !== 'partitions' && one !== 'data'));
    run[all[(all.indexOf(screen) + by + all.length) % all.length] ?? 'assets']();
  };
  const startFilter = () => {
    const { screen, assets, runs, checks, lineage } = state();
    const before = {
      assets: assets.filter,
      lineage: lineage.selection,
      runs: runs.open === undefined ? runs.filter : runs.log.search,
      checks: checks.filter,
    }[screen as 'assets' | 'lineage' | 'runs' | 'checks'];
    if (before === undefined)
      return patch({ message: { kind: 'info', text: 'There is nothing to filter on this screen.' } });
    patch({ overlay: { type: 'filter', line: lineOf(before), before } });
  };
  const applyTyped = (screen: Screen, text: string) => {
    const { assets, runs, checks, lineage } = state();
    const fresh = <T extends ListState>(list: T): T => ({ ...list, ...EMPTY_LIST, filter: text });
    if (screen === 'assets') {
      patch({ assets: fresh(assets) });
      setAssets(text === '' ? 0 : 1);
    } else if (screen === 'checks') patch({ checks: fresh(checks) });
    else if (screen === 'runs' && runs.open === undefined) patch({ runs: fresh(runs) });
    else if (screen === 'runs') {
      patch({ runs: { ...runs, log: { ...runs.log, search: text } } });
      if (text !== '') searchLog(1, text);
    } else if (screen === 'lineage') setLineage(filterLineage(lineage, graph, text));
  };

  const run: Readonly<Record<CommandId, () => void>> = {
    assets: () => show('assets'),
    lineage: () => show('lineage'),
    partitions: () => show('partitions'),
    runs: () => show('runs', { runs: { ...state().runs, open: undefined } }),
    checks: () => show('checks'),
    schedules: () => show('schedules'),
    data: () => {
      const { screen, detail, data } = state();
      // From anywhere else one comes for the whole asset.
      const partition = { partitions: detail?.partition, data: data.partition }[screen as 'partitions' | 'data'];
      show('data', { data: { ...data, partition: partition === '' ? undefined : partition } });
    },
    'next-screen': () => tabbed(1),
    'previous-screen': () => tabbed(-1),
    down: () => vertical(1),
    up: () => vertical(-1),
    left: () => sideways(-1),
    right: () => sideways(1),
    'page-down': () => pages(1),
    'page-up': () => pages(-1),
    first: () => ends('first'),
    last: () => ends('last'),
    open,
    back,
    filter: startFilter,
    explain: () => (state().screen === 'checks' ? explainCheck() : open()),
    group: () => {
      const { assets } = state();
      patch({
        assets: { ...assets, ...EMPTY_LIST, filter: assets.filter, by: assets.by === 'zone' ? 'group' : 'zone' },
      });
    },
    toggle: () => {
      const entry = state().screen === 'assets' ? entryAt() : undefined;
      if (entry && entry.type !== 'asset') toggleHeading(entry.name);
      else if (state().screen === 'partitions') setHeat((own, shape) => toggleMark(own, shape));
    },
    'expand-up': () => setLineage(expand(state().lineage, graph, 'upstream')),
    'expand-down': () => setLineage(expand(state().lineage, graph, 'downstream')),
    'collapse-up': () => setLineage(collapse(state().lineage, graph, 'upstream')),
    'collapse-down': () => setLineage(collapse(state().lineage, graph, 'downstream')),
    all: () => setLineage(showAll(state().lineage, graph)),
    'next-column': () => turnColumn(1),
    'previous-column': () => turnColumn(-1),
    density: () => {
      const { lineage } = state();
      const next = { auto: 'lines', lines: 'boxes', boxes: 'auto' } as const;
      setLineage({ ...lineage, density: next[lineage.density] });
    },
    'zoom-out': () => setHeat((own, shape, window) => zoomBy(own, shape, window, 1)),
    'zoom-in': () => setHeat((own, shape, window) => zoomBy(own, shape, window, -1)),
    mark: () => setHeat((own, shape) => toggleMark(own, shape)),
    'next-problem': () => problem(1),
    'previous-problem': () => problem(-1),
    'rows-axis': () => setHeat((own, shape) => cycleRows(own, shape)),
    'columns-axis': () => setHeat((own, shape) => cycleColumns(own, shape)),
    'next-value': () => turnSelector(1),
    'previous-value': () => turnSelector(-1),
    date: () => patch({ overlay: { type: 'date', line: EMPTY_LINE, problem: undefined } }),
    follow: () => {
      const { runs } = state();
      patch({ runs: { ...runs, log: { ...runs.log, follow: !runs.log.follow } } });
    },
    'log-only': () => {
      const { runs } = state();
      patch({ runs: { ...runs, log: { ...runs.log, only: !runs.log.only } } });
    },
    'scroll-down': () => scrollChecks(3),
    'scroll-up': () => scrollChecks(-3),
    sql: () => typeSql(true),
    materialize: () => propose({}),
    'materialize-up': () => propose({ upstream: true }),
    force: () => propose({ force: true }),
    retry: () => propose({ retryFailed: true }),
    observe: () => {
      const found = selected();
      const selection = found ? `+(${found.selection})` : '*';
      session.start({ selection, partitions: undefined, force: false, retryFailed: false }, true);
    },
    wipe: askToWipe,
    cancel: () => {
      session.cancel();
    },
    copy: () => copy(keyHere()),
    'copy-path': () => copy(state().detail?.file),
    'copy-command': () => copy(shellCommand(state(), session, program)),
    palette: () => patch({ overlay: { type: 'palette', line: EMPTY_LINE, chosen: 0 } }),
    help: () => patch({ overlay: { type: 'help', offset: 0 } }),
    refresh: () => {
      previewed = '';
      session.refresh(true);
      screenShown();
    },
    quit: options.quit,
    suspend: options.suspend,
  };
  const turnColumn = (by: 1 | -1) => {
    const { lineage } = state();
    if (lineage.focus === undefined) return;
    const names = lineageInfo(graph, lineage.focus).columns.map(({ name }) => name);
    setLineage(stepColumn(lineage, names, by));
  };
  const turnSelector = (by: 1 | -1) =>
    setHeat((own, shape) => {
      const [first] = selectorsOf(shape, own);
      return first && cycleSelector(own, shape, first.dimension, by);
    });
  const scrollChecks = (by: number) => {
    const { checks } = state();
    patch({ checks: { ...checks, detailOffset: Math.max(checks.detailOffset + by, 0) } });
  };

  const perform = (id: CommandId) => {
    const command = COMMANDS.find((one) => one.id === id);
    const reason = command?.disabled?.(state());
    if (reason !== undefined) return patch({ message: { kind: 'info', text: `${command?.label}: ${reason}.` } });
    try {
      // What is asked of the cell under the cursor is not answered for the one before.
      if (explaining && OF_A_CELL.has(id)) explainNow();
      run[id]();
    } catch (error) {
      session.fail(command?.label ?? id, error);
    }
  };

  // --- overlays ----------------------------------------------------------------------------------------------------------------

  const close = () => patch({ overlay: undefined });
  const pressOverlay = (over: Overlay, key: string): unknown => {
    if (key === 'ctrl+c') return over.type === 'filter' ? cancelFilter(over) : close();
    switch (over.type) {
      case 'help': {
        const by = { j: 1, down: 1, k: -1, up: -1, pagedown: 10, pageup: -10 }[key];
        if (by !== undefined) {
          const most = helpScroll(PLAIN, body(), helpGroups(state()));
          return patch({ overlay: { ...over, offset: Math.min(Math.max(over.offset + by, 0), most) } });
        }
        return ['escape', 'q', '?', 'enter'].includes(key) && close();
      }
      case 'error':
        if (['escape', 'enter', 'q', 'space'].includes(key)) close();
        return undefined;
      case 'plan': {
        const by = { j: 1, down: 1, k: -1, up: -1 }[key];
        const most = Math.max((over.plan?.steps.length ?? 1) - 1, 0);
        if (by !== undefined)
          return patch({ overlay: { ...over, offset: Math.min(Math.max(over.offset + by, 0), most) } });
        if (key === 'escape' || key === 'q') close();
        if (key === 'enter' && over.plan) {
          close();
          if (over.plan.will + over.plan.may > 0) session.start(over.request);
          else patch({ message: { kind: 'info', text: 'There is nothing to compute.' } });
        }
        return undefined;
      }
      case 'palette':
        return pressPalette(over, key);
      case 'filter': {
        if (key === 'escape') return cancelFilter(over);
        if (key === 'enter') return close();
        const line = edit(over.line, key);
        if (!line) return undefined;
        patch({ overlay: { ...over, line } });
        applyTyped(state().screen, line.text);
        return undefined;
      }
      case 'wipe': {
        if (key === 'escape') return close();
        if (key === 'enter') {
          if (over.line.text !== over.expected) return undefined;
          close();
          session.wipe(over.asset, over.partitions);
          return undefined;
        }
        const line = edit(over.line, key);
        if (line) patch({ overlay: { ...over, line } });
        return undefined;
      }
      case 'date': {
        if (key === 'escape') return close();
        if (key === 'enter') {
          let found = false;
          setHeat((own, shape, window) => {
            const next = toDate(own, shape, window, over.line.text);
            found = next !== undefined;
            return next;
          });
          if (found) close();
          else patch({ overlay: { ...over, problem: 'Write a time such as 2024, 2024-01 or 2024-01-31.' } });
          return undefined;
        }
        const line = edit(over.line, key);
        if (line) patch({ overlay: { ...over, line, problem: undefined } });
        return undefined;
      }
    }
  };
  const cancelFilter = (over: Extract<Overlay, { type: 'filter' }>) => {
    close();
    applyTyped(state().screen, over.before);
  };
  const pressPalette = (over: Extract<Overlay, { type: 'palette' }>, key: string) => {
    const choices = paletteEntries(state(), session, over.line.text);
    if (key === 'escape') return close();
    const by = { down: 1, 'ctrl+n': 1, tab: 1, up: -1, 'ctrl+p': -1, 'shift+tab': -1 }[key];
    if (by !== undefined)
      return patch({
        overlay: { ...over, chosen: Math.min(Math.max(over.chosen + by, 0), Math.max(choices.length - 1, 0)) },
      });
    if (key === 'enter') {
      const chosen = choices[over.chosen]?.choice;
      if (!chosen) return;
      close();
      if (chosen.type === 'asset') show('partitions', { asset: chosen.asset, detail: undefined });
      else perform(chosen.command.id);
      return;
    }
    const line = edit(over.line, key);
    if (line) patch({ overlay: { ...over, line, chosen: 0 } });
  };

  session.onRead(() => {
    const { screen, explain, detail } = state();
    if (explain && detail) session.explain(detail.asset, detail.partition);
    else if (screen === 'partitions') explainCell();
  });
  const press = (key: string): void => {
    const { overlay, screen, data } = state();
    try {
      if (overlay) pressOverlay(overlay, key);
      else if (screen === 'data' && data.tab === 'sql' && data.sql.typing) pressSql(key);
      else {
        const command = commandFor(screen, key);
        if (command) perform(command.id);
      }
    } catch (error) {
      session.fail('This key', error);
    }
  };
  return {
    screenShown,
    press,
    paste: (text) => {
      const { overlay, screen, data } = state();
      const types = overlay ? 'line' in overlay : screen === 'data' && data.tab === 'sql' && data.sql.typing;
      if (types) for (const key of keysOf(text.replaceAll(/\s+/g, ' '), {})) press(key);
    },
  };
}
