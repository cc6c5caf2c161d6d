// Names of keys, as bindings and help use them: `j`, `J`, `?`, `up`, `enter`, `escape`, `shift+tab`, `ctrl+c`, `space`.

/** What is said of a key besides its character, e.g. by Ink. */
export interface KeyFlags {
  readonly upArrow?: boolean;
  readonly downArrow?: boolean;
  readonly leftArrow?: boolean;
  readonly rightArrow?: boolean;
  readonly pageDown?: boolean;
  readonly pageUp?: boolean;
  readonly home?: boolean;
  readonly end?: boolean;
  readonly return?: boolean;
  readonly escape?: boolean;
  readonly tab?: boolean;
  readonly backspace?: boolean;
  readonly delete?: boolean;
  readonly ctrl?: boolean;
  readonly shift?: boolean;
  readonly meta?: boolean;
}

const NAMED: readonly (readonly [keyof KeyFlags, string])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageDown', 'pagedown'],
  ['pageUp', 'pageup'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['tab', 'tab'],
  // Terminals send DEL for the key that everybody calls backspace.
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
  ['escape', 'escape'],
];

/** The keys of one event, in order: characters that were typed fast, or pasted, come together. */
export function keysOf(input: string, flags: KeyFlags): string[] {
  const named = NAMED.find(([flag]) => flags[flag]);
  if (named) {
    const [, name] = named;
    const single = ['enter', 'backspace', 'escape'].includes(name);
    const key = `${flags.ctrl ? 'ctrl+' : ''}${flags.shift && !single ? 'shift+' : ''}${name}`;
    return flags.meta && single && name !== 'escape' ? ['escape', key] : [key];
  }
  // Escape and a key right after it come as the key with Alt, which nothing here is bound to.
  if (flags.meta && input !== '') return ['escape', ...keysOf(input, { ...flags, meta: false })];
  if (flags.ctrl) return input === '' ? [] : [`ctrl+${input.toLowerCase()}`];
  return [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(input)].flatMap(({ segment }) => {
    if (segment === ' ') return ['space'];
    if (segment === '\r' || segment === '\n' || segment === '\r\n') return ['enter'];
    if (segment === '\t') return ['tab'];
    if (segment === '\u001b') return ['escape'];
    if (segment === '\u007f' || segment === '\b') return ['backspace'];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: other control characters are no keys
    return /^[\u0000-\u001f]/.test(segment) ? [] : [segment];
  });
}

/** The character a key types; undefined for keys that type none. */
export function typedBy(key: string): string | undefined {
  if (key === 'space') return ' ';
  return [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(key)].length === 1 ? key : undefined;
}
