import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { frameworkShape } from '../../framework/config/schema.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { createAlerts } from '../../framework/operate/alerts/alerts.ts';
import { createJudge } from '../../framework/operate/judge.ts';
import type { Log } from '../../framework/operate/log.ts';
import type { Lease } from '../../framework/operate/store.ts';
import { PRESENT } from '../../framework/plan/view.ts';
import { versionHex } from '../../framework/state/events.ts';
import { run } from '../materialize/lake.ts';
import { atEnd, temporaryDirectory } from '../materialize/support.ts';
import { at, type Clock, stage, tickText } from './support.ts';
import { diary, type Entry } from './year-diary.ts';
import { DEAF, DEATHS, FIRST, INCIDENTS, OFF, openYear, schedules, sensors, startExchange } from './year-world.ts';

// A year of an exchange, lived through by the daemon a day at a time, ends with the lake that is built of its archive at once.
vi.setConfig({ testTimeout: 3_600_000 });

/** The whole year by hand: YEAR_DAYS=366. */
const DAYS = Number(process.env.YEAR_DAYS ?? 65);
const DAY_MS = 86_400_000;
const dateOf = (day: number) => new Date(at(FIRST) + day * DAY_MS).toISOString().slice(0, 10);
const never = new AbortController().signal;

/** Data versions of all that is there, by asset and partition. */
function contents(lake: OpenedLake, assets: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const key of assets) {
    for (const [series, { base, flags }] of lake.state.refresh().asset(key)?.series ?? []) {
      const details = lake.state.details(key, series);
      if (details === undefined) continue;
      for (let i = 0; i < flags.length; i++)
        if ((flags[i] as number) & PRESENT)
          found[`${key} ${series} ${base + i}`] = versionHex(details.version, base + i - details.base);
    }
  }
  return found;
}

interface Posted {
  readonly id: string;
  readonly data: {
    readonly alerts: readonly { readonly kind: string; readonly severity: string; readonly title: string }[];
  };
}

/** Where alerts are posted to. While it is deaf it answers, but takes nothing. */
async function pager(clock: Clock) {
  const told: Entry[] = [];
  const ids: string[] = [];
  const state = { deaf: false };
  const server = createServer(async (request, response) => {
    const { id, data } = (await json(request)) as Posted;
    response.writeHead(state.deaf ? 503 : 200).end();
    if (state.deaf) return;
    ids.push(id);
    const alerts = data.alerts.map(({ kind, severity, title }) => `${kind} ${severity}: ${title}`);
    told.push({ at: clock.now, text: `told: ${alerts.join('; ')}` });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => {
    server.close();
    server.closeAllConnections();
  });
  return { told, ids, state, url: `http://127.0.0.1:${(server.address() as { port: number }).port}/` };
}

test(`${DAYS} days of an exchange with outages, late days, re-publications and delistings`, async () => {
  const exchange = await startExchange();
  atEnd(() => exchange.close());
  const clock = { now: at(FIRST) + DAY_MS + 7 * 3_600_000 };
  const lake = await openYear(await temporaryDirectory(), exchange, () => clock.now);
  const { start, kill, advance, store } = stage(lake, clock);
  const { told, ids, state, url } = await pager(clock);
  const retries: Entry[] = [];
  const hear: Log = (_, message, fields) => {
    if (fields?.event === 'retry') retries.push({ at: clock.now, text: `  ${fields.asset}: ${message}` });
  };
  let messages = 0;
  /** A daemon that begins, with those who look after it. */
  const begin = (crashed?: Lease) => {
    const daemon = start(schedules, { sensors, hear, automationEveryMs: 7_200_000 });
    const alerts = createAlerts({
      settings: frameworkShape.alerts.parse({ destinations: { pager: { type: 'json', url } } }),
      store,
      log: () => undefined,
      now: () => clock.now,
      id: () => `m${String(++messages).padStart(5, '0')}`,
      origin: { host: 'here', lake: 'year' },
      env: {},
      redact: (said) => said,
      command: (...words) => ['lakehouse', ...words].join(' '),
    });
    const judge = createJudge(alerts, daemon, store, () => clock.now);
    if (crashed) alerts.update({ crashed });
    const turned = async () => {
      judge.look();
      await alerts.deliver(never, { all: true });
    };
    return {
      daemon,
      live: (until: string) => advance(daemon, until, turned),
      /** Lets time pass until it has begun something. */
      begun: async (doing: string) => {
        for (let next: number | undefined; ; ) {
          next = daemon.turn();
          if (daemon.busy.includes(doing)) return;
          if (daemon.busy.length === 0 && next !== undefined) clock.now = next;
          await daemon.settled();
        }
      },
    };
  };
  let one = begin();
  let crashed: Lease | undefined;
  for (let day = 1; day < DAYS; day++) {
    const date = dateOf(day);
    // The day before has been published in the morning.
    if (day > 1) exchange.archive.addDay();
    for (const incident of INCIDENTS[date] ?? []) incident(exchange);
    state.deaf = DEAF.has(date);
    if (OFF.has(date)) continue;
    if (crashed) {
      clock.now = at(`${date}T06:00:00Z`);
      one = begin(crashed);
      crashed = undefined;
    }
    const doing = DEATHS[date];
    if (doing !== undefined) {
      await one.live(`${date}T06:59:00Z`);
      await one.begun(doing);
      crashed = store.lease();
      await kill(one.daemon);
      if (OFF.has(dateOf(day + 1))) continue;
      clock.now += 3_600_000;
      one = begin(crashed);
      crashed = undefined;
    }
    await one.live(`${date}T23:00:00Z`);
  }
  await one.daemon.stop(0);

  const built = await openYear(await temporaryDirectory(), exchange, () => clock.now);
  expect((await run(built)).outcome).toBe('succeeded');
  const tables = lake.graph.order.filter((asset) => lake.graph.node(asset).definition.storage.type === 'table');
  const lived = contents(lake, tables);
  expect(Object.keys(lived).length).toBeGreaterThan(DAYS * 4);
  expect(lived).toEqual(contents(built, tables));
  // Neither has anything left to do.
  for (const each of [lake, built]) expect((await run(each, { observe: false })).counts.computed).toBe(0);

  // Nobody was told anything twice.
  expect(new Set(ids).size).toBe(ids.length);
  const ticks = store
    .ticks({ limit: 10_000 })
    .reverse()
    .map((tick) => ({ at: tick.at, text: tickText(tick) }));
  // Of sources that are looked at together either may be the first.
  retries.sort((a, b) => (a.text < b.text ? -1 : 1));
  const text = diary([...ticks, ...retries, ...told]).replaceAll(exchange.url, 'http://exchange');
  await expect(text).toMatchFileSnapshot(`./year-${DAYS}.txt`);
});
