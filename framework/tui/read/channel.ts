/**
 * Lines through the gutter between two layers. A net joins every row at its left with every row at its right: a vertical on a
 * track of its own, and a horizontal to each row. Two nets may cross, but never share a cell in which either of them turns.
 */
export interface Net {
  /** Rows at which it comes from the left; no two nets of a channel share one. */
  readonly left: readonly number[];
  /** Rows at which it leaves to the right; no two nets of a channel share one. */
  readonly right: readonly number[];
}
export interface Turn {
  /** Track from 0, at the left, on which the line leaves the row where it is. */
  readonly track: number;
  readonly row: number;
}
export interface Channel {
  readonly tracks: number;
  /** The turns between two rows of a net; none for a straight line. */
  turns(net: number, left: number, right: number): readonly Turn[];
}

interface Wire {
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly top: number;
  readonly bottom: number;
}
const wire = ({ left, right }: Net): Wire => {
  const rows = [...left, ...right];
  return { left, right, top: Math.min(...rows), bottom: Math.max(...rows) };
};

/** Worse than any number of crossings: on the row that the left one leaves to its right, the other one would come from the left. */
const OVERLAP = 10_000;

/** Crossings if `a` is on a track to the left of `b`, or the penalty where they would overlap. */
function crossings(a: Wire, b: Wire): number {
  if (a.bottom < b.top || b.bottom < a.top) return 0;
  let cost = 0;
  for (const row of a.right) {
    if (b.left.includes(row)) cost += OVERLAP;
    else if (row > b.top && row < b.bottom) cost++;
  }
  for (const row of b.left) if (row > a.top && row < a.bottom) cost++;
  return cost;
}

/** An order of few crossings: each wire in turn moves to where it costs least, until none does. */
function ordered(wires: readonly Wire[]): number[] {
  const falling = ({ left, right }: Wire) => Math.max(...right) > Math.max(...left);
  // Falling lines turn the later the higher they start, rising ones the later the lower.
  const rank = (w: Wire) => (falling(w) ? -w.top : w.bottom);
  const order = wires.map((_, i) => i).sort((a, b) => rank(wires[a] as Wire) - rank(wires[b] as Wire) || a - b);
  const before = wires.map((a) => wires.map((b) => crossings(a, b)));
  const cost = (a: number, b: number): number => before[a]?.[b] ?? 0;
  for (let pass = 0, moved = true; moved && pass < 20; pass++) {
    moved = false;
    for (let item = 0; item < wires.length; item++) {
      const from = order.indexOf(item);
      order.splice(from, 1);
      // What it costs at each place, relative to the first.
      let [sum, best, place] = [0, 0, 0];
      let here = 0;
      for (const [i, other] of order.entries()) {
        sum += cost(other, item) - cost(item, other);
        if (i + 1 === from) here = sum;
        if (sum < best) [best, place] = [sum, i + 1];
      }
      if (best < here) moved = true;
      else place = from;
      order.splice(place, 0, item);
    }
  }
  return order;
}

/** Gives every net its tracks. Deterministic. */
export function routeChannel(nets: readonly Net[]): Channel {
  const bent = nets.map((_, i) => i).filter((i) => isBent(nets[i] as Net));
  const order = ordered(bent.map((i) => wire(nets[i] as Net))).map((i) => bent[i] as number);
  const used = new Set(nets.flatMap(({ left, right }) => [...left, ...right]));
  const freeRow = (near: number): number => {
    for (let d = 1; ; d++) {
      for (const row of [near + d, near - d]) {
        if (row < 0 || used.has(row)) continue;
        used.add(row);
        return row;
      }
    }
  };

  // Where lines would overlap in any order, the later one changes tracks: on a row of its own, and past all others.
  const wires: Wire[] = [];
  const detours = new Map<string, { readonly row: number; readonly wire: number }>();
  const late: { readonly net: number; readonly row: number; readonly to: number }[] = [];
  const ahead = order.map((net) => new Set(nets[net]?.left));
  for (const [i, net] of order.entries()) {
    const { left, right } = nets[net] as Net;
    const after = new Set(ahead.slice(i + 1).flatMap((rows) => [...rows]));
    const exits = right.map((to) => {
      if (!after.has(to)) return to;
      const row = freeRow(to);
      late.push({ net, row, to });
      return row;
    });
    wires.push(wire({ left, right: exits }));
  }
  for (const { net, row, to } of late) {
    detours.set(`${net} ${to}`, { row, wire: wires.length });
    wires.push(wire({ left: [row], right: [to] }));
  }

  const track: number[] = [];
  for (const [i, { top, bottom }] of wires.entries()) {
    let free = 0;
    for (let j = 0; j < i; j++) {
      const other = wires[j] as Wire;
      if (other.bottom >= top && other.top <= bottom) free = Math.max(free, (track[j] ?? 0) + 1);
    }
    track.push(free);
  }
  const trackOf = new Map(order.map((net, i) => [net, track[i] ?? 0]));
  return {
    tracks: Math.max(0, ...track.map((t) => t + 1)),
    turns: (net, left, right) => {
      const first = trackOf.get(net);
      if (first === undefined) return [];
      const detour = detours.get(`${net} ${right}`);
      if (detour === undefined) return left === right ? [] : [{ track: first, row: right }];
      const { row, wire } = detour;
      return [
        { track: first, row },
        { track: track[wire] ?? 0, row: right },
      ];
    },
  };
}

const isBent = ({ left, right }: Net): boolean => new Set([...left, ...right]).size > 1;
