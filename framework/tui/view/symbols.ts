import type { Theme } from './theme.ts';

/** Small shapes that are no status, each one cell wide. */
export interface Symbols {
  readonly open: string;
  readonly closed: string;
  readonly good: string;
  readonly bad: string;
  readonly warning: string;
  readonly info: string;
  readonly running: string;
  readonly live: string;
  readonly idle: string;
  readonly cancelled: string;
  readonly lost: string;
  readonly between: string;
  readonly track: string;
  readonly thumb: string;
  readonly up: string;
  readonly down: string;
}

const UNICODE: Symbols = {
  open: '▾',
  closed: '▸',
  good: '✓',
  bad: '✗',
  warning: '!',
  info: '·',
  running: '▶',
  live: '●',
  idle: '○',
  cancelled: '⊘',
  lost: '?',
  between: '›',
  track: '│',
  thumb: '┃',
  up: '↑',
  down: '↓',
};
const ASCII: Symbols = {
  open: 'v',
  closed: '>',
  good: '+',
  bad: 'x',
  warning: '!',
  info: '.',
  running: '>',
  live: '*',
  idle: 'o',
  cancelled: '/',
  lost: '?',
  between: '>',
  track: '|',
  thumb: '#',
  up: '^',
  down: 'v',
};

export const symbolsOf = (theme: Theme): Symbols => (theme.unicode ? UNICODE : ASCII);
