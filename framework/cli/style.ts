import type { Io, Output } from './io.ts';

type Paint = (text: string) => string;

/** Meanings, not colours. Without colours every one gives the text itself. */
export interface Style {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly good: Paint;
  readonly warning: Paint;
  readonly bad: Paint;
  readonly accent: Paint;
}

const codes: Readonly<Record<keyof Style, readonly [on: number, off: number]>> = {
  strong: [1, 22],
  faint: [2, 22],
  good: [32, 39],
  warning: [33, 39],
  bad: [31, 39],
  accent: [36, 39],
};

/** `--no-color` beats FORCE_COLOR, which beats NO_COLOR; else colours are for terminals. */
export function wantsColor({ isTTY }: Pick<Output, 'isTTY'>, env: Io['env'], color: boolean): boolean {
  const forced = env.FORCE_COLOR !== undefined && !['0', 'false'].includes(env.FORCE_COLOR);
  return color && (forced || (env.FORCE_COLOR === undefined && !env.NO_COLOR && env.TERM !== 'dumb' && isTTY));
}

export function styleFor(output: Output, env: Io['env'], color: boolean): Style {
  const wanted = wantsColor(output, env, color);
  const paint = ([on, off]: readonly [number, number]): Paint =>
    wanted ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text;
  return {
    strong: paint(codes.strong),
    faint: paint(codes.faint),
    good: paint(codes.good),
    warning: paint(codes.warning),
    bad: paint(codes.bad),
    accent: paint(codes.accent),
  };
}
