/** What happened when, as one line that does not name the day. */
export interface Entry {
  /** ms UTC. */
  readonly at: number;
  readonly text: string;
}

const dayOf = ({ at }: Entry) => new Date(at).toISOString().slice(0, 10);
const timeOf = ({ at }: Entry) => new Date(at).toISOString().slice(11, 16);

/** A page for every day; days that follow each other and were alike share one. Entries of an instant stay in their order. */
export function diary(entries: readonly Entry[]): string {
  const byDay = Map.groupBy(
    entries.toSorted((a, b) => a.at - b.at),
    dayOf,
  );
  const pages: { readonly days: string[]; readonly text: string }[] = [];
  for (const [day, list] of byDay) {
    const text = list.map((entry) => `  ${timeOf(entry)} ${entry.text}\n`).join('');
    const last = pages.at(-1);
    if (last?.text === text) last.days.push(day);
    else pages.push({ days: [day], text });
  }
  return pages
    .map(({ days, text }) => {
      const [first] = days;
      const heading = days.length === 1 ? first : `${first} to ${days.at(-1)}, ${days.length} days`;
      return `${heading}\n${text}`;
    })
    .join('\n');
}
