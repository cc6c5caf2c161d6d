import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { frameworkShape } from '../../framework/config/schema.ts';
import { schedule } from '../../framework/define/schedule.ts';
import { createAlerts } from '../../framework/operate/alerts/alerts.ts';
import { createJudge } from '../../framework/operate/judge.ts';
import { tiny } from '../materialize/support.ts';
import { command } from './alerts/support.ts';
import { at, stage } from './support.ts';

test('a schedule that fails is told once by webhook, and once when it works again', async () => {
  const messages: string[] = [];
  const server = createServer(async (request, response) => {
    messages.push((JSON.parse(await text(request)) as { text: string }).text);
    response.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const clock = { now: at('2020-04-10T12:30:00Z') };
  const { lake } = await tiny({ now: () => clock.now });
  const { start, advance, store } = stage(lake, clock);
  let fails = true;
  const action = () => {
    if (fails) throw new Error('no such thing');
    return 'done';
  };
  const daemon = start([schedule({ name: 'hourly', cron: '0 * * * *', action })]);
  const alerts = createAlerts({
    settings: frameworkShape.alerts.parse({
      destinations: { ops: { type: 'slack', url: `http://127.0.0.1:${port}/hook` } },
    }),
    store,
    log: () => undefined,
    now: () => clock.now,
    id: () => `m${clock.now}`,
    origin: { host: 'here', lake: 'tiny' },
    env: {},
    redact: (said) => said,
    command,
  });
  const judge = createJudge(alerts, daemon, store, () => clock.now);
  try {
    for (const hour of ['13', '14', '15']) {
      await advance(daemon, `2020-04-10T${hour}:10:00Z`);
      judge.look();
      await alerts.deliver(AbortSignal.timeout(5_000), { all: true });
    }
    fails = false;
    await advance(daemon, '2020-04-10T16:10:00Z');
    judge.look();
    await alerts.deliver(AbortSignal.timeout(5_000), { all: true });
  } finally {
    server.close();
    server.closeAllConnections();
  }
  expect(messages).toEqual([
    'error: schedule hourly fails, since 2020-04-10 13:00:00 UTC: it was due; no such thing. Next: lakehouse schedules ticks hourly\nlakehouse tiny on here',
    'error: schedule hourly fails again and again, since 2020-04-10 13:00:00 UTC: at least 3 times in a row it failed or was interrupted; the last time: it was due; no such thing. Next: lakehouse schedules ticks hourly\nlakehouse tiny on here',
    'over: schedule hourly fails, 2020-04-10 13:00:00 to 2020-04-10 16:10:00 UTC: it succeeded at 2020-04-10 16:00:00 UTC\nover: schedule hourly fails again and again, 2020-04-10 13:00:00 to 2020-04-10 16:10:00 UTC: it succeeded at 2020-04-10 16:00:00 UTC\nlakehouse tiny on here (2 alerts: 2 over)',
  ]);
});
