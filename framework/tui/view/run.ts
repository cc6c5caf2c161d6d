import { tagsText } from '../../common/tags.ts';
import type { AssetProgress, RunDetail, RunLine, Size } from '../model/data.ts';
import { ago, clock, instant, took, visible } from './format.ts';
import { ends, find, marked, page, rule, type Span, wrap } from './lines.ts';
import { place, rowLine, titleLine, withScrollbar } from './list.ts';
import { progressColumns } from './progress.ts';
import { countCell, outcomeOf, whatOf } from './runs.ts';
import { symbolsOf } from './symbols.ts';
import { cell, cut, width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

export interface RunInput {
  readonly detail: RunDetail;
  /** First line of the log that is shown; of no effect while it is followed. */
  readonly offset: number;
  /** Whether the end of the log stays in sight. */
  readonly follow: boolean;
  /** What is searched for in the log; `found` and `at` (from 1) where they are known. */
  readonly search?: { readonly text: string; readonly found?: number; readonly at?: number } | undefined;
  /** Whether the log has all the room. */
  readonly logOnly?: boolean | undefined;
  readonly now: number;
  readonly size: Size;
}

/** One run: what it was, how far each asset is, and its log. Exactly `size.rows` lines. */
export function runView(input: RunInput, theme: Theme): string[] {
  const { detail, now, size, logOnly = false } = input;
  const head = headLines(detail, now, size.columns, theme);
  const room = Math.max(size.rows - head.length, 0);
  const assets =
    logOnly || detail.assets.length === 0
      ? []
      : ['', ...assetLines(detail.assets, now, size.columns, Math.floor(room / 2), theme)];
  const rest = Math.max(room - assets.length, 0);
  return page([...head, ...assets, ...logLines(input, { columns: size.columns, rows: rest }, theme)], size.rows);
}

function headLines({ row }: RunDetail, now: number, columns: number, theme: Theme): string[] {
  const { glyph, paint } = outcomeOf(row.outcome, theme);
  const known = row.finishedAt !== undefined || row.outcome === 'running';
  const times = [
    `started ${ago(row.startedAt, now)}, ${instant(row.startedAt)}`,
    ...(known ? [`took ${took(row.startedAt, row.finishedAt, now)}`] : []),
    ...(row.tags ? [visible(tagsText(row.tags))] : []),
  ].join('  ');
  const lost = row.outcome === 'lost' ? 'It never said that it finished, and its process is gone.' : '';
  const error = row.error ?? lost;
  const counts = countCell(row.counts, Math.max(columns - width(times) - 5, 0), theme).trimEnd();
  return [
    ends(
      theme,
      ` ${paint(`${glyph} ${row.outcome}`)}  ${theme.strong(visible(whatOf(row)))}`,
      theme.faint(`${visible(row.run)} `),
      columns,
    ),
    cut(theme, `   ${theme.faint(times)}  ${counts}`, columns),
    ...(error === ''
      ? []
      : wrap(theme, error, columns - 4, 5).map((line) => cut(theme, `   ${theme.bad(line)}`, columns))),
  ];
}

const PHASE_RANK: Readonly<Record<AssetProgress['phase'], number>> = {
  computing: 0,
  observing: 0,
  failed: 1,
  done: 2,
  waiting: 3,
};

/** Titles and an asset per line. Where there are too many, those that run and those that failed are kept. */
function assetLines(
  assets: readonly AssetProgress[],
  now: number,
  columns: number,
  height: number,
  theme: Theme,
): string[] {
  if (height < 2) return [];
  const most = assets.length <= height - 1 ? assets.length : Math.max(height - 2, 0);
  const kept = new Set(assets.toSorted((a, b) => PHASE_RANK[a.phase] - PHASE_RANK[b.phase]).slice(0, most));
  const placed = place(progressColumns(assets, now, theme), columns - 2);
  const left = assets.filter((one) => !kept.has(one));
  const phases = Object.entries(Object.groupBy(left, ({ phase }) => phase)).map(
    ([phase, some]) => `${some?.length ?? 0} ${phase}`,
  );
  return [
    ` ${titleLine(theme, placed)}`,
    ...assets.filter((one) => kept.has(one)).map((one) => ` ${rowLine(placed, one)}`),
    ...(left.length > 0 ? [theme.faint(` ${theme.box.ellipsis} and ${left.length} more: ${phases.join(', ')}`)] : []),
  ].map((line) => cut(theme, line, columns));
}

function logLines({ detail, offset, follow, search }: RunInput, size: Size, theme: Theme): string[] {
  if (size.rows === 0) return [];
  const { lines } = detail;
  const height = size.rows - 1;
  const room = size.columns - 1;
  const spans = (text: string) => (search?.text ? find(text, [search.text]) : []);
  const names = detail.assets.reduce((most, { asset }) => Math.max(most, width(visible(asset))), 0);
  // A column of assets where there is room for one.
  const named = size.columns < 100 ? 0 : Math.min(names, 36);
  const draw = (line: RunLine) => logLine(line, { columns: room - 1, named, spans }, theme);
  const shown: string[] = [];
  let first = Math.min(Math.max(offset, 0), Math.max(lines.length - 1, 0));
  if (follow) {
    for (first = lines.length; first > 0 && shown.length < height; first--) {
      const line = lines[first - 1];
      if (line) shown.unshift(...draw(line));
    }
    shown.splice(0, shown.length - height);
  } else {
    for (let i = first; i < lines.length && shown.length < height; i++) {
      const line = lines[i];
      if (line) shown.push(...draw(line));
    }
  }
  const found =
    search?.found === undefined ? '' : search.found === 0 ? ', not found' : `, ${search.at ?? 1} of ${search.found}`;
  const searched = search?.text ? `/${visible(search.text)}${found}` : '';
  const state = follow ? theme.faint('following') : theme.warning('not following');
  const label = `${theme.strong('log')} ${state}`;
  const empty = height > 0 && lines.length === 0 ? [theme.faint('   No log lines yet.')] : [];
  const body = page([...empty, ...shown], height);
  return [
    rule(theme, size.columns, label, searched),
    ...withScrollbar(theme, body, {
      first: Math.min(first, Math.max(lines.length - height, 0)),
      total: lines.length,
      columns: size.columns,
    }),
  ];
}

interface LogLayout {
  readonly columns: number;
  /** Cells of the column of assets; 0 for none. */
  readonly named: number;
  readonly spans: (text: string) => Span[];
}

/** Cells before the text of a line: the time and the level. */
const STAMP = 12;

/** An error takes the lines it needs, anything else one. */
function logLine({ at, level, asset, text }: RunLine, { columns, named, spans }: LogLayout, theme: Theme): string[] {
  const { info, good, warning, bad } = symbolsOf(theme);
  const glyph = { info, good, warn: warning, bad }[level];
  const paint: Paint = { info: theme.faint, good: theme.good, warn: theme.warning, bad: theme.bad }[level];
  const base: Paint = level === 'bad' ? theme.bad : (text) => text;
  const own = named > 0 && asset !== undefined;
  const stamp = ` ${theme.faint(clock(at))} ${paint(glyph)} `;
  const column = own ? `${cell(theme, visible(asset), named)}  ` : '';
  const indent = STAMP + (own ? named + 2 : 0);
  const room = Math.max(columns - indent, 1);
  const said = own || asset === undefined ? text : `${asset}  ${text}`;
  const lines = level === 'bad' ? wrap(theme, said, room, 12) : [cut(theme, visible(said), room)];
  return lines.map((line, i) => {
    const head = i === 0 ? stamp + marked(theme, column, spans(column), theme.faint) : ' '.repeat(indent);
    return cut(theme, head + marked(theme, line, spans(line), base), columns);
  });
}
