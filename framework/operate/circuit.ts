/** What is remembered of a source that could not be looked at: plain data. None is remembered of one that answers. */
export interface Circuit {
  /** In a row. */
  readonly failures: number;
  /** Of the first of them, ms UTC. */
  readonly since: number;
  /** It is not asked again before, ms UTC. */
  readonly until: number;
  readonly message: string;
}

/** From this many failures in a row on, it is left alone for a while. */
const OPENS_AFTER = 3;
const FIRST_REST_MS = 5 * 60_000;
const LONGEST_REST_MS = 60 * 60_000;

/** After a further failure. It rests for five minutes, then twice as long each time, an hour at most: then it is tried once more. */
export function afterFailure(circuit: Circuit | undefined, message: string, now: number): Circuit {
  const failures = (circuit?.failures ?? 0) + 1;
  const doubled = Math.min(FIRST_REST_MS * 2 ** (failures - OPENS_AFTER), LONGEST_REST_MS);
  const rest = failures < OPENS_AFTER ? 0 : doubled;
  return { failures, since: circuit?.since ?? now, until: now + rest, message };
}

/** Why a source is to be left alone at an instant; undefined where it may be asked. A clock that was put back opens it. */
export function whyOpen(circuit: Circuit | undefined, now: number): string | undefined {
  if (circuit === undefined || now >= circuit.until || circuit.until - now > LONGEST_REST_MS) return undefined;
  const instant = (ms: number) => new Date(ms).toISOString();
  return `it failed ${circuit.failures} times in a row since ${instant(circuit.since)} and is tried again at ${instant(circuit.until)}; last it said: ${circuit.message}`;
}
