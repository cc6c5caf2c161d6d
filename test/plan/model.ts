/**
 * The specification of the planner once more, as naively as it can be said: every partition by itself, plain objects, no ranges,
 * no bits, no mappings but comparisons of dates. It reads the bare facts of the log (what is present, when it changed, what it
 * had verified) and shares no code with the planner.
 */

export interface Edge {
  readonly up: string;
  readonly time: 'same' | 'window' | 'overlapping' | 'all' | 'at' | 'none';
  /** Days before and after the partition's own time; windows only. */
  readonly back: number;
  readonly ahead: number;
  readonly symbol: 'same' | 'all' | 'only';
  readonly side: 'same' | 'all' | 'only';
}
export interface Input {
  readonly name: string;
  readonly need: 'required' | 'ifPresent';
  /** Best first. */
  readonly alternatives: readonly Edge[];
}
export interface Kind {
  readonly key: string;
  readonly source: boolean;
  readonly symbol: boolean;
  readonly side: boolean;
  readonly time: 'date' | 'month' | 'none';
  readonly lag: 0 | -1;
  readonly inputs: readonly Input[];
  readonly keep: boolean;
  /** How many partitions back it reads itself; 0: not at all. */
  readonly chain: number;
  readonly publicationHours: number;
  readonly liveDays: number;
}

export interface Point {
  readonly symbol?: string;
  readonly side?: string;
  readonly time?: string;
}

/** What the log says of one partition. */
export interface Fact {
  readonly point: Point;
  readonly present: boolean;
  readonly left: boolean;
  readonly bad: boolean;
  readonly failed: boolean;
  readonly changed: number;
  readonly verified: number;
  readonly code: string;
  readonly choice: string;
  readonly failure: { readonly head: number; readonly code: string; readonly transient: boolean } | undefined;
}

export interface World {
  readonly kinds: readonly Kind[];
  readonly symbols: readonly string[];
  readonly sides: readonly string[];
  readonly firstDay: string;
  readonly firstMonth: string;
  readonly now: number;
  readonly head: number;
  readonly codes: ReadonlyMap<string, string>;
  /** Sources that the settings do not want. */
  readonly unwanted: ReadonlySet<string>;
  /** `asset from to`, as declared. */
  readonly accepted: readonly (readonly [asset: string, from: string, to: string])[];
  /** By asset, then by printed key. */
  readonly facts: ReadonlyMap<string, ReadonlyMap<string, Fact>>;
}

export const SIDES = ['x', 'y'];
const DAY = 86_400_000;
const AT = { date: '2020-02-01', month: '2020-02', none: '' };

export const keyOf = ({ symbol, side, time }: Point): string =>
  [symbol && `symbol=${symbol}`, side && `side=${side}`, time && `${time.length === 7 ? 'month' : 'date'}=${time}`]
    .filter(Boolean)
    .join('/');

/** Whether a walk over what was accepted, in either direction, leads from this code to the current one. */
function sameCode({ codes, accepted }: World, asset: string, code: string): boolean {
  const reached = new Set([code]);
  for (const one of reached) {
    for (const [key, from, to] of accepted) {
      if (key === asset && from === one) reached.add(to);
      if (key === asset && to === one) reached.add(from);
    }
  }
  return reached.has(codes.get(asset) ?? '');
}

const byText = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);
const startOf = (time: string): number => Date.parse(time.length === 7 ? `${time}-01` : time);
const nextOf = (time: string): string => {
  const next = new Date(startOf(time));
  if (time.length === 7) next.setUTCMonth(next.getUTCMonth() + 1);
  else next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, time.length);
};
const endOf = (time: string): number => startOf(nextOf(time));

function timesOf(world: World, kind: Kind): (string | undefined)[] {
  if (kind.time === 'none') return [undefined];
  const times: string[] = [];
  let time = kind.time === 'date' ? world.firstDay : world.firstMonth;
  for (; kind.lag === 0 ? endOf(time) <= world.now : startOf(time) <= world.now; time = nextOf(time)) times.push(time);
  return times;
}

/** Every partition that could be, by key. */
function candidates(world: World, kind: Kind): Map<string, Point> {
  const out = new Map<string, Point>();
  for (const symbol of kind.symbol ? world.symbols : [undefined]) {
    for (const side of kind.side ? world.sides : [undefined]) {
      for (const time of timesOf(world, kind)) {
        const point = { ...(symbol && { symbol }), ...(side && { side }), ...(time && { time }) };
        out.set(keyOf(point), point);
      }
    }
  }
  return out;
}

const kindOf = (world: World, key: string): Kind => world.kinds.find((k) => k.key === key) as Kind;
const overlaps = (a: string, from: number, to: number) => startOf(a) < to && endOf(a) > from;

function readsSeries(edge: Edge, up: Point, down: Point): boolean {
  for (const dimension of ['symbol', 'side'] as const) {
    if (up[dimension] === undefined) continue;
    if (edge[dimension] === 'same' && up[dimension] !== down[dimension]) return false;
    if (edge[dimension] === 'only' && up[dimension] !== (dimension === 'symbol' ? 'A' : 'x')) return false;
  }
  return true;
}

function reads(edge: Edge, up: Point, down: Point): boolean {
  if (!readsSeries(edge, up, down)) return false;
  if (up.time === undefined || edge.time === 'all') return true;
  if (edge.time === 'at') return up.time === AT[up.time.length === 7 ? 'month' : 'date'];
  const [back, ahead] = edge.time === 'window' ? [edge.back, edge.ahead] : [0, 0];
  const own = down.time as string;
  return overlaps(up.time, startOf(own) - back * DAY, endOf(own) + ahead * DAY);
}

/** Reads it at the partition's own time: its existence is what makes the partition exist. */
function readsCore(edge: Edge, up: Point, down: Point): boolean {
  if (!readsSeries(edge, up, down)) return false;
  return up.time === undefined || down.time === undefined || overlaps(up.time, startOf(down.time), endOf(down.time));
}

const namesSeries = (world: World, kind: Kind, edge: Edge) =>
  !kind.symbol || (kindOf(world, edge.up).symbol && edge.symbol === 'same');
const tells = (world: World, kind: Kind, edge: Edge) =>
  namesSeries(world, kind, edge) &&
  (kindOf(world, edge.up).time === 'none' || (edge.time !== 'all' && edge.time !== 'at'));

/** Whether what is there stays where what it was made of is gone. */
function keeps(world: World, { keep, inputs }: Kind): boolean {
  const required = inputs.filter((i) => i.need === 'required');
  const deciding = required.length > 0 ? required : inputs;
  return keep || deciding.some((i) => i.alternatives.some((edge) => world.unwanted.has(edge.up)));
}

export type Existence = 'ready' | 'awaiting' | 'unavailable';
export type Universes = Map<string, Map<string, { readonly point: Point; readonly is: Existence }>>;

export function modelUniverses(world: World): Universes {
  const out: Universes = new Map();
  for (const kind of world.kinds) {
    const own: Universes extends Map<string, infer T> ? T : never = new Map();
    out.set(kind.key, own);
    if (world.unwanted.has(kind.key)) continue;
    const all = candidates(world, kind);
    const present = (key: string) => world.facts.get(kind.key)?.get(key)?.present === true;
    for (const [key, point] of all) {
      const is = kind.source ? ofSource(world, kind, all, point, present) : ofAsset(world, kind, out, point);
      if (keeps(world, kind) && present(key)) own.set(key, { point, is: 'ready' });
      else if (is) own.set(key, { point, is });
    }
  }
  return out;
}

function ofSource(
  world: World,
  kind: Kind,
  all: ReadonlyMap<string, Point>,
  point: Point,
  present: (key: string) => boolean,
): Existence | undefined {
  if (present(keyOf(point))) return 'ready';
  const { time } = point;
  if (time === undefined) return undefined;
  const seen = [...all].flatMap(([key, p]) =>
    p.symbol === point.symbol && p.side === point.side && present(key) ? [p.time as string] : [],
  );
  const before = seen.filter((t) => t < time).at(-1);
  const after = seen.find((t) => t > time);
  if (before === undefined) return undefined;
  // The pause it lies in: up to the next one seen, or up to now.
  const pause = (after === undefined ? world.now : startOf(after)) - endOf(before);
  if (pause > kind.liveDays * DAY) return undefined;
  return endOf(time) + kind.publicationHours * 3_600_000 > world.now ? 'awaiting' : 'unavailable';
}

function ofAsset(world: World, kind: Kind, universes: Universes, point: Point): Existence | undefined {
  const say = (use: (edge: Edge) => boolean, relation: typeof reads) => {
    const said = kind.inputs.flatMap(({ need, alternatives }) => {
      const some = alternatives.filter(use);
      if (some.length === 0) return [];
      const found = some.flatMap((edge) =>
        [...(universes.get(edge.up)?.values() ?? [])]
          .filter((up) => relation(edge, up.point, point))
          .map((up) => up.is),
      );
      return [{ need, is: (['ready', 'awaiting', 'unavailable'] as const).find((is) => found.includes(is)) }];
    });
    const required = said.filter((s) => s.need === 'required');
    return { anyRequired: required.length > 0, said: (required.length > 0 ? required : said).map((s) => s.is) };
  };
  let { anyRequired, said } = say((edge) => tells(world, kind, edge), readsCore);
  if (said.length === 0 && kind.symbol) {
    ({ anyRequired, said } = say((edge) => namesSeries(world, kind, edge), reads));
    if (said.length === 0) return undefined;
  }
  if (said.length === 0) return 'ready';
  if (!anyRequired) return (['ready', 'awaiting', 'unavailable'] as const).find((is) => said.includes(is));
  if (said.includes(undefined)) return undefined;
  return (['unavailable', 'awaiting', 'ready'] as const).find((is) => said.includes(is));
}

/** What a reader has to know of a partition that is not as it should be. */
export type Wait = 'none' | 'dirty' | 'todo' | 'retry' | 'blocked' | 'awaiting';
export interface Verdict {
  readonly point: Point;
  status: string;
  readonly run: 'not' | 'will' | 'may';
  readonly causes: readonly string[];
  readonly wait: Wait;
  readonly readable: boolean;
  readonly available: boolean;
  readonly bad: boolean;
  readonly gone: boolean;
  readonly changed: number;
  /** Per input with several alternatives: which; undefined where none can be had. */
  readonly chosen: Readonly<Record<string, number | undefined>>;
}
export type Verdicts = Map<string, Map<string, Verdict>>;

export interface Asked {
  readonly mode: 'plan' | 'execute';
  readonly force?: ((asset: string, key: string) => boolean) | undefined;
  readonly retry?: ((asset: string, key: string) => boolean) | undefined;
}

export function modelVerdicts(world: World, universes: Universes, asked: Asked): Verdicts {
  const out: Verdicts = new Map();
  for (const kind of world.kinds) {
    const own = new Map<string, Verdict>();
    out.set(kind.key, own);
    const points = new Map<string, Point>();
    for (const [key, fact] of world.facts.get(kind.key) ?? []) points.set(key, fact.point);
    for (const [key, { point }] of universes.get(kind.key) ?? []) points.set(key, point);
    const inOrder = [...points].sort(([, a], [, b]) => byText(a.time, b.time));
    for (const [key, point] of inOrder) {
      const fact = world.facts.get(kind.key)?.get(key);
      const is = universes.get(kind.key)?.get(key)?.is;
      own.set(key, judge(world, kind, key, point, fact, is, out, own, asked));
    }
  }
  return out;
}

/** Links of a chain that a link reads. */
export function earlierLinks<T extends { readonly point: Point }>(kind: Kind, point: Point, links: Iterable<T>): T[] {
  if (kind.chain === 0 || point.time === undefined) return [];
  let from: string = point.time;
  const previous = (time: string) => {
    const at = new Date(startOf(time));
    if (time.length === 7) at.setUTCMonth(at.getUTCMonth() - 1);
    else at.setUTCDate(at.getUTCDate() - 1);
    return at.toISOString().slice(0, time.length);
  };
  for (let i = 0; i < kind.chain; i++) from = previous(from);
  return [...links].filter(
    ({ point: p }) =>
      p.symbol === point.symbol &&
      p.side === point.side &&
      (p.time as string) >= from &&
      (p.time as string) < (point.time as string),
  );
}

function judge(
  world: World,
  kind: Kind,
  key: string,
  point: Point,
  fact: Fact | undefined,
  is: Existence | undefined,
  verdicts: Verdicts,
  own: ReadonlyMap<string, Verdict>,
  asked: Asked,
): Verdict {
  const present = fact?.present === true;
  const tombstone = fact?.left === true && !present;
  const base = { point, run: 'not', causes: [], chosen: {}, readable: false, available: false, bad: false } as const;
  const still = { ...base, wait: 'none' as const, gone: tombstone, changed: fact?.changed ?? 0 };
  const leaving = { ...still, status: 'leaving', gone: true, changed: world.head + 1 };
  const live = { readable: true, available: true, gone: false };

  if (is === undefined) return present ? leaving : { ...still, status: 'none' };
  if (kind.source) {
    if (present) return { ...still, ...live, status: 'fresh' };
    return { ...still, status: is, wait: is === 'awaiting' ? 'awaiting' : 'none' };
  }
  if (is === 'unavailable') return present ? leaving : { ...still, status: 'unavailable' };

  // What it reads, alternatives chosen.
  const chosen: Record<string, number | undefined> = {};
  const required: Verdict[] = [];
  const optional: Verdict[] = [];
  let lacking = false;
  let leftLast = 0;
  for (const input of kind.inputs) {
    const found = input.alternatives.map((edge) =>
      [...(verdicts.get(edge.up)?.values() ?? [])].filter((up) => reads(edge, up.point, point)),
    );
    let pick: number | undefined = 0;
    if (found.length > 1) {
      for (const ups of found) {
        const newest = Math.max(0, ...ups.map((up) => up.changed));
        if (ups.some((up) => up.gone && up.changed === newest)) leftLast = Math.max(leftLast, newest);
      }
      const some = (test: (ups: readonly Verdict[]) => boolean) => {
        const index = found.findIndex(test);
        return index < 0 ? undefined : index;
      };
      const available = (ups: readonly Verdict[]) => ups.some((up) => up.available);
      const waits = (ups: readonly Verdict[], wait: Wait) => ups.some((up) => up.wait === wait);
      pick =
        some((ups) => available(ups) && !waits(ups, 'blocked') && !waits(ups, 'awaiting')) ??
        some((ups) => available(ups) && !waits(ups, 'blocked')) ??
        some(available) ??
        some((ups) => waits(ups, 'awaiting'));
      chosen[input.name] = pick;
    }
    const ups = pick === undefined ? [] : (found[pick] as Verdict[]);
    (input.need === 'required' ? required : optional).push(...ups);
    if (input.need === 'required' && !ups.some((up) => up.available)) lacking = true;
  }
  const links = earlierLinks(kind, point, own.values());

  const bad = present && fact.bad;
  const content = { ...(present && live), available: present || is === 'ready', bad, gone: tombstone, chosen };
  const judged = { ...still, ...content };
  const any = kind.inputs.length > 0 && kind.inputs.every((i) => i.need === 'ifPresent');
  if (keeps(world, kind) && present && (lacking || (any && !optional.some((up) => up.available))))
    return { ...judged, status: bad ? 'failed' : 'fresh', wait: bad ? 'blocked' : 'none' };

  // Why it would be computed.
  const causes: string[] = [];
  const read = [...required, ...optional, ...links];
  const newest = Math.max(0, ...read.map((up) => up.changed));
  if (!present) causes.push('missing');
  else {
    if (!sameCode(world, kind.key, fact.code)) causes.push('code');
    if (newest > fact.verified) causes.push(read.some((up) => up.changed === newest && up.gone) ? 'departed' : 'data');
    const label = kind.inputs
      .filter((i) => i.alternatives.length > 1)
      .map((i) => `${i.name}=${i.alternatives[chosen[i.name] ?? -1]?.up ?? ''}`)
      .join();
    if (label !== fact.choice) causes.push('choice');
  }
  const retry = asked.retry?.(kind.key, key) === true;
  if (asked.force?.(kind.key, key) || (retry && bad)) causes.push('forced');

  // What is in its way.
  const requires = (wait: Wait) => required.some((up) => up.wait === wait);
  const anyMoving = (ups: readonly Verdict[]) =>
    ups.some((up) => ['dirty', 'todo', 'retry'].includes(up.wait) || up.run !== 'not');
  const poisoned = optional.some((up) => up.bad);
  const curable = optional.some((up) => up.wait === 'retry');
  const stop: Wait =
    requires('blocked') || (poisoned && !curable)
      ? 'blocked'
      : requires('awaiting') || lacking || is !== 'ready'
        ? 'awaiting'
        : requires('retry') || poisoned
          ? 'retry'
          : any
            ? nothingYet(optional, asked.mode)
            : 'none';
  const moving = stop !== 'blocked' && stop !== 'awaiting' && anyMoving(read);
  const along = stop === 'none' && links.some((link) => link.run === 'will');
  const may = asked.mode === 'plan' ? (moving ? 'may' : 'not') : along ? 'will' : 'not';

  const failure = fact?.failed ? fact.failure : undefined;
  const remembered =
    failure !== undefined &&
    !failure.transient &&
    failure.code === world.codes.get(kind.key) &&
    Math.max(newest, leftLast) <= failure.head;
  const stands = causes.length === 0 ? bad : remembered && !retry && !causes.includes('forced');
  const verdict = { ...judged, causes };
  if (stands) return { ...verdict, status: 'failed', wait: moving ? 'retry' : 'blocked', run: may };
  if (stop === 'blocked') return { ...verdict, status: 'blocked', wait: 'blocked' };
  if (stop === 'awaiting') return { ...verdict, status: 'awaiting', wait: 'awaiting' };
  if (stop === 'retry') return { ...verdict, status: 'blocked', wait: 'retry', run: may };
  if (causes.length === 0) {
    if (!moving) return { ...verdict, status: 'fresh', wait: 'none' };
    return { ...verdict, status: 'pending', wait: 'dirty', run: may };
  }
  const failedBefore = fact?.failed === true || bad;
  const wait = failedBefore ? 'retry' : present ? 'dirty' : 'todo';
  const status = failedBefore ? 'failed' : present ? 'stale' : 'missing';
  if (asked.mode === 'execute' && requires('todo'))
    return { ...verdict, status: failedBefore ? 'failed' : 'blocked', wait };
  return { ...verdict, status, wait, run: 'will' };
}

/** What keeps from computing where all is optional and nothing of it is there. */
function nothingYet(optional: readonly Verdict[], mode: Asked['mode']): Wait {
  const some = (wait: Wait) => optional.some((up) => up.wait === wait);
  if (optional.some((up) => up.readable) || (mode === 'plan' && some('todo'))) return 'none';
  if (some('todo')) return 'retry';
  return (['retry', 'blocked', 'awaiting'] as const).find(some) ?? 'none';
}

export type Keys = Map<string, Set<string>>;

/** Everything that some partitions need, their own earlier links included, through what was chosen. */
export function modelDemand(
  world: World,
  universes: Universes,
  verdicts: Verdicts,
  seeds: Keys,
  follow: (asset: string) => boolean,
): Keys {
  const wanted: Keys = new Map(world.kinds.map(({ key }) => [key, new Set(seeds.get(key))]));
  for (const kind of world.kinds.toReversed()) {
    const own = wanted.get(kind.key) as Set<string>;
    const exists = [...(universes.get(kind.key)?.values() ?? [])].filter((p) => p.is !== 'unavailable');
    const possible = (key: string) => universes.get(kind.key)?.get(key)?.is !== 'unavailable';
    for (let before = -1; before !== own.size; ) {
      before = own.size;
      for (const key of [...own]) {
        const point = universes.get(kind.key)?.get(key)?.point;
        if (point && possible(key)) for (const link of earlierLinks(kind, point, exists)) own.add(keyOf(link.point));
      }
    }
    for (const key of own) {
      const verdict = verdicts.get(kind.key)?.get(key);
      if (!verdict) continue;
      for (const [up, upKey] of chosenReads(kind, verdict, universes)) {
        // What is unavailable asks for nothing but what is unavailable as well.
        if (!possible(key) && universes.get(up)?.get(upKey)?.is !== 'unavailable') continue;
        if (follow(up)) wanted.get(up)?.add(upKey);
      }
    }
  }
  return wanted;
}

/** Existing upstream partitions that one reads, through the chosen alternatives. */
function chosenReads(kind: Kind, verdict: Verdict, universes: Universes): [asset: string, key: string][] {
  return kind.inputs.flatMap((input) => {
    const edge = input.alternatives[input.alternatives.length > 1 ? (verdict.chosen[input.name] ?? -1) : 0];
    if (!edge) return [];
    return [...(universes.get(edge.up) ?? [])]
      .filter(([, up]) => reads(edge, up.point, verdict.point))
      .map(([key]): [string, string] => [edge.up, key]);
  });
}

/** Marks what would be computed though nothing needs it; returns what is needed. */
export function modelUnneeded(world: World, universes: Universes, verdicts: Verdicts): Keys | undefined {
  if (!world.kinds.some((k) => k.inputs.some((i) => i.alternatives.length > 1))) return undefined;
  const unread: Keys = new Map();
  for (const kind of world.kinds) {
    const readers = world.kinds.flatMap((down) =>
      down.inputs.flatMap((i) => i.alternatives.filter((e) => e.up === kind.key).map((edge) => ({ down, edge }))),
    );
    const own = [...(universes.get(kind.key) ?? [])].filter(
      ([, { point }]) =>
        !readers.some(({ down, edge }) =>
          [...(universes.get(down.key)?.values() ?? [])].some(
            (d) => d.is !== 'unavailable' && reads(edge, point, d.point),
          ),
        ),
    );
    unread.set(kind.key, new Set(own.map(([key]) => key)));
  }
  const needed = modelDemand(world, universes, verdicts, unread, () => true);
  for (const [asset, own] of verdicts) {
    for (const [key, verdict] of own) {
      if (['missing', 'stale', 'pending'].includes(verdict.status) && !needed.get(asset)?.has(key))
        verdict.status = 'unneeded';
    }
  }
  return needed;
}

export interface Filter {
  readonly symbol?: string;
  readonly from?: string;
  readonly to?: string;
}
export interface Request {
  /** Terms `+a+`; undefined: everything. */
  readonly terms: readonly { readonly key: string; readonly up: boolean; readonly down: boolean }[] | undefined;
  readonly filter: Filter | undefined;
  readonly force: boolean;
  readonly retryFailed: boolean;
}

function passes(filter: Filter | undefined, point: Point): boolean {
  if (!filter) return true;
  if (filter.symbol !== undefined && point.symbol !== undefined && point.symbol !== filter.symbol) return false;
  if (point.time === undefined || filter.from === undefined || filter.to === undefined) return true;
  return overlaps(point.time, startOf(filter.from), endOf(filter.to));
}

/** Assets that can be reached from some along edges in one direction, those included. */
function reach(world: World, from: readonly string[], direction: 'up' | 'down'): Set<string> {
  const out = new Set(from);
  for (let before = -1; before !== out.size; ) {
    before = out.size;
    for (const kind of world.kinds) {
      for (const edge of kind.inputs.flatMap((i) => i.alternatives)) {
        const [here, there] = direction === 'up' ? [kind.key, edge.up] : [edge.up, kind.key];
        if (out.has(here)) out.add(there);
      }
    }
  }
  return out;
}

export interface ModelPlan {
  readonly targets: Keys;
  readonly will: Keys;
  readonly may: Keys;
  readonly departs: Keys;
  /** Reason by asset and key. */
  readonly holds: Map<string, Map<string, string>>;
  readonly verdicts: Verdicts;
}

export function modelPlan(world: World, request: Request): ModelPlan {
  const universes = modelUniverses(world);
  const everything = world.kinds.map((k) => k.key);
  const terms = request.terms ?? everything.map((key) => ({ key, up: false, down: false }));
  const direct = new Set(terms.map((t) => t.key));
  const named = request.terms ? direct : new Set<string>();
  const chosen = new Set(direct);
  for (const { key, up, down } of terms) {
    if (up) for (const k of reach(world, [key], 'up')) chosen.add(k);
    if (down) for (const k of reach(world, [key], 'down')) chosen.add(k);
  }
  const below = reach(world, [...direct], 'down');
  const isRead = (key: string) =>
    world.kinds.some((k) => chosen.has(k.key) && k.inputs.some((i) => i.alternatives.some((e) => e.up === key)));
  const filtered = (key: string) =>
    new Set([...(universes.get(key) ?? [])].filter(([, { point }]) => passes(request.filter, point)).map(([k]) => k));

  let verdicts = modelVerdicts(world, universes, { mode: 'plan' });
  let needed = modelUnneeded(world, universes, verdicts);
  const targetsOf = () => {
    const seeds: Keys = new Map();
    for (const key of chosen) {
      if (!below.has(key) && isRead(key)) continue;
      const own = filtered(key);
      seeds.set(key, needed && !named.has(key) ? new Set([...own].filter((k) => needed?.get(key)?.has(k))) : own);
    }
    return modelDemand(world, universes, verdicts, seeds, (key) => chosen.has(key));
  };
  let targets = targetsOf();
  const asked = new Set<string>();
  const more = () => {
    const before = asked.size;
    for (const asset of chosen) for (const key of targets.get(asset) ?? []) asked.add(`${asset} ${key}`);
    return asked.size > before;
  };
  if (request.force || request.retryFailed) more();
  for (let again = request.force || request.retryFailed; again; again = more()) {
    const within = (asset: string, key: string) => asked.has(`${asset} ${key}`);
    verdicts = modelVerdicts(world, universes, {
      mode: 'plan',
      force: request.force ? within : undefined,
      retry: request.retryFailed
        ? (asset, key) => within(asset, key) || (chosen.has(asset) && filtered(asset).has(key))
        : undefined,
    });
    needed = modelUnneeded(world, universes, verdicts);
    targets = targetsOf();
  }

  const will: Keys = new Map();
  const may: Keys = new Map();
  const departs: Keys = new Map();
  const holds = new Map<string, Map<string, string>>();
  const planned = (asset: string, key: string) =>
    will.get(asset)?.has(key) === true || may.get(asset)?.has(key) === true;
  for (const kind of world.kinds) {
    if (kind.source || !chosen.has(kind.key)) continue;
    const own = { will: new Set<string>(), may: new Set<string>() };
    will.set(kind.key, own.will);
    may.set(kind.key, own.may);
    const held = new Map<string, string>();
    holds.set(kind.key, held);
    const inOrder = [...(verdicts.get(kind.key) ?? [])].sort(([, a], [, b]) => byText(a.point.time, b.point.time));
    for (const [key, verdict] of inOrder) {
      if (!targets.get(kind.key)?.has(key)) continue;
      let unmet = false;
      let served = false;
      const any = kind.inputs.every((input) => input.need === 'ifPresent');
      let moved =
        earlierLinks(
          kind,
          verdict.point,
          [...own.will, ...own.may].map((k) => verdicts.get(kind.key)?.get(k) as Verdict),
        ).length > 0;
      for (const input of kind.inputs) {
        const edge = input.alternatives[input.alternatives.length > 1 ? (verdict.chosen[input.name] ?? -1) : 0];
        for (const [upKey, up] of edge ? (verdicts.get(edge.up) ?? []) : []) {
          if (!edge || !reads(edge, up.point, verdict.point)) continue;
          if (planned(edge.up, upKey)) moved = true;
          else if ((input.need === 'required' || any) && up.available && !up.readable) unmet = true;
          if (any && (up.readable || planned(edge.up, upKey))) served = true;
        }
      }
      if (verdict.run !== 'not' && unmet && !served) held.set(key, 'unmet');
      else if (verdict.run === 'will') own.will.add(key);
      else if (verdict.run === 'may' && moved) own.may.add(key);
      else if (['blocked', 'awaiting', 'unavailable', 'failed', 'pending'].includes(verdict.status))
        held.set(key, verdict.status);
    }
  }
  for (const kind of world.kinds) {
    const own = new Set<string>();
    for (const [key, verdict] of verdicts.get(kind.key) ?? []) {
      if (verdict.status !== 'leaving') continue;
      const asked = chosen.has(kind.key) && !kind.source && passes(request.filter, verdict.point);
      const read = world.kinds.some((down) =>
        down.inputs.some((input) =>
          input.alternatives.some((edge, a) =>
            edge.up !== kind.key
              ? false
              : [...(verdicts.get(down.key) ?? [])].some(
                  ([k, v]) =>
                    planned(down.key, k) &&
                    (input.alternatives.length === 1 || v.chosen[input.name] === a) &&
                    reads(edge, verdict.point, v.point),
                ),
          ),
        ),
      );
      if (asked || read) own.add(key);
    }
    departs.set(kind.key, own);
  }
  return { targets, will, may, departs, holds, verdicts };
}
