/** Edit distance with transpositions (optimal string alignment), for "did you mean". */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (rows[i - 1]?.[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** The candidates close enough to be what was meant, best first, at most three. */
export function closest(word: string, candidates: Iterable<string>): string[] {
  const wanted = word.toLowerCase();
  const scored: { name: string; score: number }[] = [];
  for (const name of candidates) {
    const lower = name.toLowerCase();
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, lower.length) / 3));
    const score = lower.startsWith(wanted) || lower.endsWith(`/${wanted}`) ? 0.5 : distance(wanted, lower);
    if (score <= limit) scored.push({ name, score });
  }
  scored.sort((x, y) => x.score - y.score || (x.name < y.name ? -1 : 1));
  return scored.slice(0, 3).map((s) => s.name);
}

/** `Did you mean 'a' or 'b'?`, or else `Known: …`; undefined when there is nothing to offer. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates];
  const near = closest(word, all);
  if (near.length > 0) return `Did you mean ${near.map((n) => `'${n}'`).join(' or ')}?`;
  if (all.length === 0) return undefined;
  const shown = all.slice(0, 12).join(', ');
  return `Known: ${shown}${all.length > 12 ? `, … (${all.length} in all)` : ''}`;
}
