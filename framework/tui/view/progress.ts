import type { AssetProgress } from '../model/data.ts';
import { progressBar } from './bars.ts';
import { bytes, compact, duration, number, percent, rate, took, visible } from './format.ts';
import { type Column, rightCell, textCell } from './list.ts';
import { symbolsOf } from './symbols.ts';
import { width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

/** What the assets of a run are at, a column per number. */
export function progressColumns(assets: readonly AssetProgress[], now: number, theme: Theme): Column<AssetProgress>[] {
  const widest = assets.reduce((most, { asset }) => Math.max(most, width(visible(asset)) + 2), 8);
  const digits = assets.reduce((most, { total }) => Math.max(most, number(total).length), 1);
  const plain: Paint = (text) => text;
  const right = (text: (one: AssetProgress) => string, paint: Paint) => (one: AssetProgress, columns: number) =>
    rightCell(theme, text(one), columns, paint);
  return [
    {
      title: 'asset',
      rank: 0,
      least: Math.min(widest, 20),
      most: Math.min(widest, 50),
      draw: ({ asset, phase }, columns) => {
        const { glyph, paint } = phaseOf(phase, theme);
        if (columns < 3) return textCell(theme, asset, columns);
        return `${paint(glyph)} ${textCell(theme, asset, columns - 2, phase === 'waiting' ? theme.faint : plain)}`;
      },
    },
    {
      title: '',
      rank: 2,
      least: 12,
      most: 40,
      draw: (one, columns) => {
        if (one.phase === 'observing') return textCell(theme, 'observing', columns, theme.accent);
        if (one.phase === 'waiting') return textCell(theme, 'waiting', columns, theme.faint);
        return progressBar(theme, one, columns);
      },
    },
    {
      title: 'done',
      rank: 1,
      least: Math.max(digits * 2 + 1, 6),
      most: Math.max(digits * 2 + 1, 6),
      align: 'right',
      draw: right((one) => (one.phase === 'observing' ? '' : `${number(endedOf(one))}/${number(one.total)}`), plain),
    },
    {
      title: '',
      rank: 3,
      least: 4,
      most: 4,
      align: 'right',
      draw: right((one) => (one.phase === 'observing' ? '' : percent(endedOf(one), one.total)), theme.faint),
    },
    ...(assets.some(({ failed }) => failed > 0)
      ? [
          {
            title: 'failed',
            rank: 4,
            least: 6,
            most: 7,
            align: 'right' as const,
            draw: right(({ failed }) => (failed === 0 ? '' : compact(failed)), theme.bad),
          },
        ]
      : []),
    { title: 'rate', rank: 6, least: 8, most: 8, align: 'right', draw: right((one) => rateOf(one, now), theme.faint) },
    { title: 'left', rank: 5, least: 7, most: 8, align: 'right', draw: right((one) => leftOf(one, now), plain) },
    {
      title: 'took',
      rank: 7,
      least: 7,
      most: 8,
      align: 'right',
      draw: right(
        ({ startedAt, finishedAt }) => (startedAt === undefined ? '' : took(startedAt, finishedAt, now)),
        theme.faint,
      ),
    },
    {
      title: 'changed',
      rank: 9,
      least: 7,
      most: 7,
      align: 'right',
      draw: right(({ changed }) => some(changed, compact), theme.faint),
    },
    {
      title: 'rows',
      rank: 8,
      least: 7,
      most: 7,
      align: 'right',
      draw: right(({ rows }) => some(rows, compact), theme.faint),
    },
    {
      title: 'size',
      rank: 10,
      least: 8,
      most: 8,
      align: 'right',
      draw: right((one) => some(one.bytes, bytes), theme.faint),
    },
  ];
}

const some = (value: number, print: (value: number) => string) => (value === 0 ? '' : print(value));

const endedOf = ({ done, failed }: AssetProgress) => done + failed;

/** Partitions per second; 0 before anything ended. */
function speedOf({ done, failed, startedAt, finishedAt }: AssetProgress, now: number): number {
  if (startedAt === undefined) return 0;
  return (done + failed) / Math.max(((finishedAt ?? now) - startedAt) / 1000, 0.001);
}

const rateOf = (one: AssetProgress, now: number) => some(speedOf(one, now), rate);

function leftOf(one: AssetProgress, now: number): string {
  const speed = speedOf(one, now);
  const open = one.total - endedOf(one);
  return one.phase === 'computing' && speed > 0 && open > 0 ? duration((open / speed) * 1000) : '';
}

function phaseOf(phase: AssetProgress['phase'], theme: Theme): { readonly glyph: string; readonly paint: Paint } {
  const { idle, running, good, bad, info } = symbolsOf(theme);
  switch (phase) {
    case 'waiting':
      return { glyph: info, paint: theme.faint };
    case 'observing':
      return { glyph: idle, paint: theme.accent };
    case 'computing':
      return { glyph: running, paint: theme.accent };
    case 'done':
      return { glyph: good, paint: theme.good };
    case 'failed':
      return { glyph: bad, paint: theme.bad };
  }
}
