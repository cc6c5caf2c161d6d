import { SHOWN_STATUSES, type ShownStatus } from '../model/data.ts';

/** What a colour means. Views name roles, never colours. */
export type Role =
  | 'good'
  | 'bad'
  | 'warning'
  | 'accent'
  | 'faint'
  | 'strong'
  | 'border'
  | 'selected'
  | 'cursor'
  | 'title';
export type Paint = (text: string) => string;

export const THEMES = ['dark', 'light', 'high-contrast', 'none'] as const;
export type ThemeName = (typeof THEMES)[number];

/** How things look: colours by role and by status, and the shapes that say the same without colour. */
export interface Theme extends Readonly<Record<Role, Paint>> {
  readonly name: ThemeName;
  /** False where only ASCII can be drawn. */
  readonly unicode: boolean;
  readonly status: Readonly<Record<ShownStatus, Paint>>;
  /** One cell wide. */
  readonly glyph: Readonly<Record<ShownStatus | 'none', string>>;
  readonly box: Box;
}

export interface Box {
  readonly horizontal: string;
  readonly vertical: string;
  readonly topLeft: string;
  readonly topRight: string;
  readonly bottomLeft: string;
  readonly bottomRight: string;
  readonly teeLeft: string;
  readonly teeRight: string;
  readonly teeUp: string;
  readonly teeDown: string;
  readonly cross: string;
  readonly arrow: string;
  readonly ellipsis: string;
  readonly bullet: string;
  readonly pointer: string;
}

const UNICODE: Box = {
  horizontal: '─',
  vertical: '│',
  topLeft: '╭',
  topRight: '╮',
  bottomLeft: '╰',
  bottomRight: '╯',
  teeLeft: '├',
  teeRight: '┤',
  teeUp: '┴',
  teeDown: '┬',
  cross: '┼',
  arrow: '▶',
  ellipsis: '…',
  bullet: '•',
  pointer: '▸',
};
const ASCII: Box = {
  horizontal: '-',
  vertical: '|',
  topLeft: '+',
  topRight: '+',
  bottomLeft: '+',
  bottomRight: '+',
  teeLeft: '+',
  teeRight: '+',
  teeUp: '+',
  teeDown: '+',
  cross: '+',
  arrow: '>',
  ellipsis: '~',
  bullet: '*',
  pointer: '>',
};
const GLYPHS: Theme['glyph'] = {
  none: ' ',
  fresh: '■',
  stale: '◪',
  pending: '◧',
  missing: '□',
  failed: '✗',
  blocked: '▣',
  awaiting: '·',
  unavailable: '╌',
  leaving: '◁',
  unneeded: '○',
};
const ASCII_GLYPHS: Theme['glyph'] = {
  none: ' ',
  fresh: '#',
  stale: '%',
  pending: '?',
  missing: 'o',
  failed: 'X',
  blocked: '!',
  awaiting: '.',
  unavailable: '-',
  leaving: '<',
  unneeded: '=',
};

const code =
  (...codes: readonly number[]): Paint =>
  (text) =>
    text === '' ? '' : `\u001b[${codes.join(';')}m${text}\u001b[0m`;
const plain: Paint = (text) => text;
const inverse = code(7);

interface Colours {
  readonly roles: Readonly<Record<Role, Paint>>;
  readonly status: Readonly<Record<ShownStatus, Paint>>;
}
const palette = (colours: {
  readonly good: Paint;
  readonly bad: Paint;
  readonly warning: Paint;
  readonly accent: Paint;
  readonly faint: Paint;
  readonly pending: Paint;
  readonly missing: Paint;
  readonly blocked: Paint;
  readonly selected: Paint;
}): Colours => ({
  roles: { ...colours, strong: code(1), border: colours.faint, cursor: inverse, title: code(1) },
  status: {
    fresh: colours.good,
    stale: colours.warning,
    pending: colours.pending,
    missing: colours.missing,
    failed: colours.bad,
    blocked: colours.blocked,
    awaiting: colours.faint,
    unavailable: colours.faint,
    leaving: colours.warning,
    unneeded: colours.faint,
  },
});

/** 256 colours: chosen to keep their distance for people who confuse red and green. */
const COLOURS: Readonly<Record<ThemeName, Colours>> = {
  dark: palette({
    good: code(38, 5, 78),
    bad: code(38, 5, 203),
    warning: code(38, 5, 221),
    accent: code(38, 5, 117),
    faint: code(38, 5, 244),
    pending: code(38, 5, 180),
    missing: code(38, 5, 75),
    blocked: code(38, 5, 175),
    selected: code(48, 5, 238),
  }),
  light: palette({
    good: code(38, 5, 28),
    bad: code(38, 5, 160),
    warning: code(38, 5, 130),
    accent: code(38, 5, 25),
    faint: code(38, 5, 242),
    pending: code(38, 5, 94),
    missing: code(38, 5, 26),
    blocked: code(38, 5, 90),
    selected: code(48, 5, 254),
  }),
  'high-contrast': palette({
    good: code(1, 92),
    bad: code(1, 91),
    warning: code(1, 93),
    accent: code(1, 96),
    faint: code(37),
    pending: code(93),
    missing: code(1, 94),
    blocked: code(1, 95),
    selected: inverse,
  }),
  none: {
    roles: {
      good: plain,
      bad: plain,
      warning: plain,
      accent: plain,
      faint: plain,
      border: plain,
      // Attributes are no colours: without them nobody would see where the cursor is.
      strong: code(1),
      title: code(1),
      selected: inverse,
      cursor: inverse,
    },
    status: Object.fromEntries(SHOWN_STATUSES.map((status) => [status, plain])) as Record<ShownStatus, Paint>,
  },
};

export function createTheme(name: ThemeName, unicode: boolean): Theme {
  const { roles, status } = COLOURS[name];
  return {
    name,
    unicode,
    ...roles,
    status,
    glyph: unicode ? GLYPHS : ASCII_GLYPHS,
    box: unicode ? UNICODE : ASCII,
  };
}
