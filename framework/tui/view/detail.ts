import { meaningOf } from '../../report/meaning.ts';
import type { PartitionDetail, Size } from '../model/data.ts';
import { bytes, instant, number, plural, visible } from './format.ts';
import { emptyState, page, wrap } from './lines.ts';
import { firstShown, withScrollbar } from './list.ts';
import { cell, cut, width } from './text.ts';
import type { Theme } from './theme.ts';

/** Cells of the names at the left. */
const NAMES = 10;

export interface DetailInput {
  readonly size: Size;
  /** Undefined while it is being read. */
  readonly detail: PartitionDetail | undefined;
  /** First line that is shown. */
  readonly offset: number;
}

/** One partition and why it is as it is, on a screen of its own: exactly `size.rows` lines. */
export function detailView({ size, detail, offset }: DetailInput, theme: Theme): string[] {
  if (!detail) return emptyState(theme, size, `Reading ${theme.box.ellipsis}`, '');
  const lines = detailLines(detail, size.columns - 3, theme).map((line) => ` ${line}`);
  const first = firstShown(lines.length, size.rows, offset, -1);
  const shown = page(lines.slice(first, first + size.rows), size.rows);
  return withScrollbar(theme, shown, { first, total: lines.length, columns: size.columns });
}

/** All lines of it, each at most `columns` wide: for a pane, and to know how far the screen scrolls. */
export function detailLines(detail: PartitionDetail, columns: number, theme: Theme): string[] {
  const { asset, partition } = detail;
  const lines = [
    ...wrap(theme, asset, columns).map(theme.title),
    ...wrap(theme, partition === '' ? 'not partitioned' : partition, columns),
    ...standing(detail, columns, theme),
    ...section(facts(detail, columns, theme)),
    ...section(failure(detail, columns, theme)),
    ...section(checks(detail, columns, theme)),
    ...section(causes(detail, columns, theme)),
  ];
  return lines.map((line) => cut(theme, line, Math.max(columns, 1)));
}

function standing({ status, kind }: PartitionDetail, columns: number, theme: Theme): string[] {
  const meaning = meaningOf(status, kind);
  if (status === 'none') return wrap(theme, meaning, columns).map(theme.faint);
  const name = `${theme.glyph[status]} ${status}`;
  const painted = theme.status[status](name);
  if (width(name) + 2 + width(meaning) <= columns) return [`${painted}  ${theme.faint(meaning)}`];
  return [painted, ...wrap(theme, meaning, columns).map(theme.faint)];
}

const section = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines]);

function facts(detail: PartitionDetail, columns: number, theme: Theme): string[] {
  const { rows, version, codeVersion, computedAt, run, file } = detail;
  const fact = (name: string, text: string | undefined) =>
    text === undefined
      ? []
      : wrap(theme, text, columns - NAMES).map(
          (line, i) => theme.faint(cell(theme, i === 0 ? name : '', NAMES)) + line,
        );
  return [
    ...fact('rows', rows === undefined ? undefined : number(rows)),
    ...fact('size', detail.bytes === undefined || detail.bytes === 0 ? undefined : bytes(detail.bytes)),
    ...fact('computed', computedAt === undefined ? undefined : instant(computedAt)),
    ...fact('run', run),
    ...fact('version', version),
    ...fact('code', codeVersion),
    ...fact('file', file),
  ];
}

function failure({ error }: PartitionDetail, columns: number, theme: Theme): string[] {
  if (!error) return [];
  const times = error.attempts === 1 ? 'failed once' : `failed ${number(error.attempts)} times in a row`;
  return [
    theme.bad(`${theme.glyph.failed} ${times}`),
    ...wrap(theme, error.message, columns - 2).map((line) => `  ${theme.bad(line)}`),
    ...(error.hint === undefined ? [] : wrap(theme, error.hint, columns - 2).map((line) => `  ${theme.faint(line)}`)),
  ];
}

const checks = (detail: PartitionDetail, columns: number, theme: Theme): string[] =>
  detail.checks.flatMap(({ check, severity, failedRows }) =>
    wrap(theme, `check ${check} (${severity}): ${plural(failedRows, 'row')}`, columns).map(
      severity === 'error' ? theme.bad : theme.warning,
    ),
  );

function causes(detail: PartitionDetail, columns: number, theme: Theme): string[] {
  if (detail.causes.length === 0) return [];
  const lines = detail.causes.flatMap(({ depth, text, status }) => {
    // Deep chains must not be squeezed against the right edge.
    const indent = Math.min(2 * depth, Math.max(columns >> 1, 0));
    const mark = status === undefined || status === 'none' ? '' : `${theme.glyph[status]} `;
    const paint = status === undefined || status === 'none' ? theme.faint : theme.status[status];
    return wrap(theme, text, columns - indent - 2).map((line, i) => {
      const begin = ' '.repeat(indent) + (i === 0 ? mark : ' '.repeat(mark.length));
      return status === undefined ? `${begin}${line}` : `${begin.slice(0, indent)}${paint(begin.slice(indent))}${line}`;
    });
  });
  return [theme.strong(detail.status === 'fresh' ? 'Because' : `Why ${visible(detail.status)}`), ...lines];
}
