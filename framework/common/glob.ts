/** A glob over whole names: `*` any run of characters, `?` one; everything else literal. */
export function globToRegExp(glob: string): RegExp {
  const body = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${body}$`);
}

/** Whether a value is one of these globs and none of those that begin with `!`; with only such, everything else is. */
export function globMatcher(globs: readonly string[]): (value: string) => boolean {
  const [none, any] = [true, false].map((excluding) =>
    globs
      .filter((glob) => glob.startsWith('!') === excluding)
      .map((glob) => globToRegExp(excluding ? glob.slice(1) : glob)),
  ) as [RegExp[], RegExp[]];
  return (value) =>
    (any.length > 0 ? any.some((glob) => glob.test(value)) : none.length > 0) && !none.some((glob) => glob.test(value));
}
