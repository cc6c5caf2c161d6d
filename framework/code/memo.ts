/** The function, computed once for each argument (by identity). */
export function memo<A, R>(compute: (argument: A) => R): (argument: A) => R {
  const known = new Map<A, { readonly result: R }>();
  return (argument) => {
    const entry = known.get(argument) ?? { result: compute(argument) };
    known.set(argument, entry);
    return entry.result;
  };
}
