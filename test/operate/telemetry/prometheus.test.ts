import { asset, bytes, daily, defineLakehouse, source, within } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { openTestLake, run } from '../../materialize/lake.ts';
import { atEnd, NOW, status, temporaryDirectory, tiny } from '../../materialize/support.ts';
import { canRead, readWith, telemetryOf, without } from './wire.ts';

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly (readonly [name: string, labels: Readonly<Record<string, string>>, value: number])[];
}

/** `label=value …: number` by name of the sample; buckets left out. */
function samplesOf(families: readonly Family[]): Record<string, Record<string, number>> {
  const out: Record<string, Record<string, number>> = {};
  for (const [name, labels, value] of families.flatMap(({ samples }) => samples)) {
    if (name.endsWith('_bucket')) continue;
    const key = Object.values(labels).join(' ');
    out[name] = { ...out[name], [key]: value };
  }
  return out;
}

/** A lake of one symbol with three days, the second of which is no data; after a run. */
async function scraped() {
  const clock = { now: NOW };
  const { lake, archive, directory } = await tiny({ now: () => clock.now });
  archive.days('AAA', '2020-04', 1, 3);
  archive.put('AAA', '2020-04-02', '2020-04-02 00:00:00,cheap,1\n');
  const sets = ['http.port=0', 'telemetry.storagePricePerGbMonth=20', 'telemetry.surveySeconds=60'];
  const telemetry = await telemetryOf(lake, directory, sets, { listen: true });
  const sources = new Map([
    ['src/days', false],
    ['src/months', true],
  ]);
  telemetry.daemon({ role: 'active', turnAt: clock.now - 2000, running: 1, waiting: 2, sources });
  await run(lake, { selection: '+silver/ticks' }, telemetry.follow(lake, 'schedule all'));
  telemetry.tickEnded({ kind: 'schedule', name: 'all', outcome: 'failed', ms: 1500 });
  const scrape = async () => {
    const response = await fetch(`${telemetry.address()}/metrics`);
    return { type: response.headers.get('content-type'), text: await response.text() };
  };
  return { lake, archive, clock, telemetry, scrape };
}

describe.skipIf(!canRead)(`read by Prometheus' own client library${without}`, () => {
  test('what a run did, what the lake is like, what the daemon is doing', async () => {
    const { scrape, lake } = await scraped();
    const { type, text } = await scrape();
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    const samples = samplesOf(readWith<Family[]>('prometheus', text));
    expect(samples).toMatchObject({
      lakehouse_runs_total: { succeeded: 0, failed: 1, cancelled: 0 },
      lakehouse_run_duration_seconds_count: { failed: 1 },
      lakehouse_ticks_total: { 'schedule all failed': 1 },
      lakehouse_tick_duration_seconds_sum: { 'schedule all': 1.5 },
      lakehouse_partitions_computed_total: { 'bronze/days': 3, 'silver/ticks': 2 },
      lakehouse_partitions_changed_total: { 'bronze/days': 3, 'silver/ticks': 2 },
      lakehouse_partitions_failed_total: { 'silver/ticks data': 1 },
      lakehouse_rows_written_total: { 'bronze/days': 0, 'silver/ticks': 12 },
      lakehouse_observations_total: { 'src/days': 1, 'src/months': 1 },
      lakehouse_observations_changes_total: { 'src/days changed': 3, 'src/days withdrawn': 0 },
      lakehouse_storage_files: { 'bronze bronze/days current': 3, 'silver silver/ticks current': 2 },
      lakehouse_state_revision: { '': lake.state.refresh().head },
      lakehouse_survey_age_seconds: { '': 0 },
      lakehouse_daemon_active: { '': 1 },
      lakehouse_daemon_turn_age_seconds: { '': 2 },
      lakehouse_runs_running: { '': 1 },
      lakehouse_runs_waiting: { '': 2 },
      lakehouse_circuit_open: { 'src/days': 0, 'src/months': 1 },
      target_info: { 'crypto-lakehouse 1.2.3 here:4711 here 4711': 1 },
    });
    const counts = Object.entries(samples.lakehouse_partitions ?? {}).filter(([, count]) => count > 0);
    const expected = lake.graph.order.flatMap((asset) =>
      Object.entries(status(lake, asset)).map(([name, count]) => [`${asset} ${name}`, count]),
    );
    expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(expected));
    expect(Object.fromEntries(counts)).toMatchObject({ 'silver/ticks fresh': 2, 'silver/ticks failed': 1 });
    const bytes = [...lake.state.files('silver/ticks')].reduce((sum, file) => sum + file.bytes, 0);
    expect(samples.lakehouse_storage_size_bytes?.['silver silver/ticks current']).toBe(bytes);
    expect(samples.lakehouse_written_bytes_total?.['silver/ticks']).toBe(bytes);
    expect(samples.lakehouse_storage_monthly_cost?.silver).toBeCloseTo((bytes / 1e9) * 20, 12);
    expect(samples.lakehouse_statement_duration_seconds_count?.COPY).toBeGreaterThan(0);
    expect(samples.lakehouse_state_size_bytes?.['']).toBeGreaterThan(0);
  });

  test('names and labels are as they should be, and no label is a partition', async () => {
    const { scrape } = await scraped();
    const families = readWith<Family[]>('prometheus', (await scrape()).text);
    const units = families.filter(({ name }) => /_(?:seconds|bytes|ratio)$/.test(name)).map(({ name }) => name);
    expect(units.length).toBeGreaterThan(15);
    expect(families.filter(({ help }) => help === '' || help === 'description missing')).toEqual([]);
    expect(new Set(families.map(({ type }) => type))).toEqual(new Set(['counter', 'gauge', 'histogram']));
    const all = families.flatMap(({ samples }) => samples);
    const ids = all.map(([name, labels]) => JSON.stringify([name, labels]));
    expect(new Set(ids).size).toBe(ids.length);
    const values = new Set(
      all.filter(([name]) => name !== 'target_info').flatMap(([, labels]) => Object.values(labels)),
    );
    expect([...values].filter((value) => /AAA|\d{4}-\d\d|=/.test(value))).toEqual([]);
  });

  test('buckets of a histogram add up', async () => {
    const { scrape } = await scraped();
    const families = readWith<Family[]>('prometheus', (await scrape()).text);
    const histogram = families.find(({ name }) => name === 'lakehouse_batch_duration_seconds');
    const buckets = (histogram?.samples ?? []).filter(
      ([name, labels]) => name.endsWith('_bucket') && labels.asset === 'silver/ticks',
    );
    const counts = buckets.map(([, , value]) => value);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    const count = histogram?.samples.find(
      ([name, labels]) => name.endsWith('_count') && labels.asset === 'silver/ticks',
    );
    expect(buckets.at(-1)?.[1].le).toBe('+Inf');
    expect(counts.at(-1)).toBe(count?.[2]);
  });
});

const fresh = (text: string) => /^lakehouse_partitions\{asset="bronze\/days",status="fresh"\} (\d+)$/m.exec(text)?.[1];

test('the lake is looked at again when the last look is old enough, not at every scrape', async () => {
  const { scrape, archive, clock, lake } = await scraped();
  expect(fresh((await scrape()).text)).toBe('3');
  archive.days('AAA', '2020-04', 4, 4);
  await run(lake, { selection: '+silver/ticks' });
  clock.now += 59_000;
  const before = await scrape();
  expect(fresh(before.text)).toBe('3');
  expect(before.text).toMatch(/^lakehouse_survey_age_seconds 59$/m);
  clock.now += 1000;
  expect(fresh((await scrape()).text)).toBe('4');
});

test('a lake that is being closed is looked at no more', async () => {
  const { scrape, telemetry, clock, lake } = await scraped();
  expect(fresh((await scrape()).text)).toBe('3');
  telemetry.daemon({ role: 'stopping' });
  clock.now += 600_000;
  await lake.close();
  expect(fresh((await scrape()).text)).toBe('3');
  expect(telemetry.log.filter((line) => !line.startsWith('info'))).toEqual([]);
});

test('how late the assets are that have a policy', async () => {
  const clock = { now: Date.parse('2024-01-05T06:00:00Z') };
  const days = ['2024-01-01', '2024-01-02'];
  const date = daily({ start: '2024-01-01' });
  const files = source('files/days', {
    partitions: { date },
    publicationLagHours: 3,
    observe: async function* () {
      for (const day of days) yield { partition: { date: day }, version: '1' };
    },
    read: async () => ({ bytes: Buffer.from('x'), version: '1' }),
  });
  const raw = asset('raw/days', {
    partitions: { date },
    inputs: { files },
    format: bytes({ extension: '.txt' }),
    freshness: within({ hours: 30 }, { warn: { hours: 10 } }),
    codeVersion: '1',
    compute: ({ inputs }) => inputs.files.bytes(),
  });
  const directory = await temporaryDirectory();
  const lake = await openTestLake(defineLakehouse({ assets: [files, raw] }), directory, { now: () => clock.now });
  atEnd(() => lake.close());
  const telemetry = await telemetryOf(lake, directory, ['http.port=0'], { listen: true });
  await run(lake);
  const late = async () => {
    const text = await (await fetch(`${telemetry.address()}/metrics`)).text();
    return text.split('\n').filter((line) => line.startsWith('lakehouse_freshness'));
  };
  // The third day was due on the 4th at 3 o'clock.
  expect(await late()).toEqual([
    'lakehouse_freshness_lag_seconds{asset="raw/days"} 97200',
    'lakehouse_freshness_limit_seconds{asset="raw/days"} 108000',
    'lakehouse_freshness_series{asset="raw/days",status="on-time"} 0',
    'lakehouse_freshness_series{asset="raw/days",status="unknown"} 0',
    'lakehouse_freshness_series{asset="raw/days",status="warn"} 1',
    'lakehouse_freshness_series{asset="raw/days",status="overdue"} 0',
  ]);
  clock.now += 4 * 3_600_000;
  expect((await late()).at(-1)).toBe('lakehouse_freshness_series{asset="raw/days",status="overdue"} 1');
});
