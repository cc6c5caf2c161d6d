import { displayWidth, duration, number, pad, plural, truncate } from '../../report/format.ts';
import type { Style } from '../style.ts';
import type { AssetProgress, Progress } from './model.ts';

const BAR = { most: 30, least: 8 };

/**
 * One line per asset, none wider than `width`, at most `height` of them. What does not fit is left out from the right: first the
 * bar shrinks and goes, then the rate and the time left.
 */
export function barLines(progress: Progress, now: number, width: number, height: number, style: Style): string[] {
  const names = Math.min(
    Math.max(0, ...progress.map(({ asset }) => displayWidth(asset))),
    Math.max(Math.floor(width / 2), 12),
  );
  const shown = progress.length > height ? progress.slice(0, Math.max(height - 1, 0)) : progress;
  const lines = shown.map((one) =>
    one.phase === 'observing' ? observing(one, now, names, width) : computing(one, now, names, width, style),
  );
  if (shown.length < progress.length && height > 0)
    lines.push(truncate(`… and ${progress.length - shown.length} more assets`, width));
  return lines;
}

function observing({ asset, startedAt }: AssetProgress, now: number, names: number, width: number): string {
  return truncate(`${pad(truncate(asset, names), names)}  looking at the source, ${duration(now - startedAt)}`, width);
}

function computing(
  { asset, startedAt, total, done, failed, checksFailed }: AssetProgress,
  now: number,
  names: number,
  width: number,
  style: Style,
): string {
  const ended = Math.min(done + failed, total);
  const share = total === 0 ? 1 : ended / total;
  const seconds = Math.max((now - startedAt) / 1000, 0.001);
  const rate = ended / seconds;
  const name = pad(truncate(asset, names), names);
  const wide = String(number(total)).length;
  const parts = [
    `${pad(number(ended), wide, 'right')}/${number(total)}`,
    `${pad(`${Math.floor(share * 100)}%`, 4, 'right')}`,
    ...(failed > 0 ? [`${number(failed)} failed`] : []),
    ...(checksFailed > 0 ? [`${plural(checksFailed, 'check')} failed`] : []),
    ...(ended > 0 ? [`${rate >= 10 ? number(rate) : rate.toFixed(1)}/s`] : []),
    ...(ended > 0 && ended < total ? [`${duration(((total - ended) / rate) * 1000)} left`] : []),
  ];
  while (parts.length > 1 && displayWidth(`${name}  ${parts.join('  ')}`) > width) parts.pop();
  const text = parts.join('  ');
  const room = Math.min(width - displayWidth(name) - displayWidth(text) - 4, BAR.most);
  if (room < BAR.least) return truncate(`${name}  ${text}`, width);
  const full = Math.floor(share * room);
  return `${name}  ${style.good('━'.repeat(full))}${style.faint('─'.repeat(room - full))}  ${text}`;
}
