import { stripVTControlCharacters } from 'node:util';

/** `1,234` */
export function number(value: number): string {
  // By hand, because the first use of Intl costs a process 15 ms.
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 partition`, `1,234 partitions`, `2 batches` */
export function plural(count: number, word: string): string {
  const many = /(s|x|ch|sh)$/.test(word)
    ? `${word}es`
    : /[^aeiou]y$/.test(word)
      ? `${word.slice(0, -1)}ies`
      : `${word}s`;
  return `${number(count)} ${count === 1 ? word : many}`;
}

/** `512 B`, `12.3 MB`: powers of 1,000. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.95 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return unit === 0 ? `${number(scaled)} B` : `${scaled.toFixed(1)} ${units[unit]}`;
}

/** `35 ms`, `1.4 s`, `12 s`, `3m 05s`, `1h 02m` */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`;
}

/** `2024-01-31 05:07:09 UTC` */
export function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The first of some names, and how many more there are. */
export function some(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${number(rest)} more` : names.join(', ');
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** Columns of a terminal that a text takes; colours take none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of stripVTControlCharacters(text)) width += /\p{M}/u.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/** Cut to a width, with `…` where something was left out. For text without colours. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const char of text) {
    used += displayWidth(char);
    if (used > width) break;
    kept += char;
  }
  return `${kept}…`;
}

/** Cut to a width from the front: of a partition's name the end tells it from its neighbours. */
export function truncateFront(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const chars = [...text];
  let used = 1;
  let at = chars.length;
  while (at > 0 && used + displayWidth(chars[at - 1] ?? '') <= width) used += displayWidth(chars[--at] ?? '');
  return `…${chars.slice(at).join('')}`;
}

export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(width - displayWidth(text), 0));
  return side === 'left' ? text + space : space + text;
}

/** Data on a terminal: a control character must not move the cursor. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => {
    const known: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
    return known[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

export interface TableColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Never cut: without its end it is of no use. */
  readonly whole?: boolean;
}

/** Of a column that is cut. */
const LEAST = 8;

/** Widths that fit, the widest texts being cut first, and the last ones left out (0) if that does not do. Numbers are not cut, nor is what is to stay whole. */
function fitted(columns: readonly TableColumn[], widths: readonly number[], width: number): number[] {
  const out = [...widths];
  const over = () => out.reduce((sum, own) => sum + (own > 0 ? own + 2 : 0), -2) - width;
  const cuttable = (least: number) =>
    out.flatMap((own, i) => (columns[i]?.align !== 'right' && !columns[i]?.whole && own > least ? [i] : []));
  const shrink = () => {
    for (let rest = over(); rest > 0; rest--) {
      const [first, ...others] = cuttable(LEAST);
      if (first === undefined) return;
      const widest = others.reduce((best, i) => ((out[i] ?? 0) > (out[best] ?? 0) ? i : best), first);
      out[widest] = (out[widest] ?? 0) - 1;
    }
  };
  for (shrink(); over() > 0; shrink()) {
    const last = cuttable(0).at(-1);
    if (last === undefined) break;
    out.splice(0, out.length, ...widths.map((own, i) => (i === last || out[i] === 0 ? 0 : own)));
  }
  return out;
}

/** Aligned columns, two spaces apart, no trailing space. Texts without colours are cut to fit into `width`, if one is given. */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  paintTitle: (text: string) => string = (text) => text,
  width = Number.POSITIVE_INFINITY,
): string {
  const natural = columns.map(({ title }, i) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[i] ?? ''))),
  );
  const widths = fitted(columns, natural, width);
  const line = (cells: readonly string[], paint: (text: string) => string) => {
    const padded = columns.flatMap(({ align }, i) => {
      const [text, own = 0] = [cells[i] ?? '', widths[i]];
      if (own === 0) return [];
      return [pad(own < (natural[i] ?? 0) ? truncate(text, own) : text, own, align === 'right' ? 'right' : 'left')];
    });
    return paint(padded.join('  ').trimEnd());
  };
  return [
    line(
      columns.map(({ title }) => title),
      paintTitle,
    ),
    ...rows.map((row) => line(row, (text) => text)),
  ].join('\n');
}

/** Each line indented. */
export function indent(text: string, by = 2): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}
