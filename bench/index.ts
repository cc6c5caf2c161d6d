import { parseArgs } from 'node:util';
import type { BenchOptions, Measurement } from './support.ts';
import { machine, table } from './support.ts';

const benches: Readonly<Record<string, () => Promise<(options: BenchOptions) => Promise<Measurement[]>>>> = {
  silver: async () => (await import('./silver.ts')).benchSilver,
  download: async () => (await import('./download.ts')).benchDownload,
  s3: async () => (await import('./s3.ts')).benchS3,
  query: async () => (await import('./query.ts')).benchQuery,
  catalogue: async () => (await import('./catalogue.ts')).benchCatalogue,
  checks: async () => (await import('./checks.ts')).benchChecks,
  noop: async () => (await import('./noop.ts')).benchNoop,
  daemon: async () => (await import('./daemon.ts')).benchDaemon,
  plan: async () => (await import('./plan.ts')).benchPlan,
  ui: async () => (await import('./tui.ts')).benchTui,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const names = values.only?.split(',') ?? Object.keys(benches);
const unknown = names.filter((name) => benches[name] === undefined);
if (unknown.length > 0)
  throw new Error(`There is no bench '${unknown.join(', ')}': ${Object.keys(benches).join(', ')}`);

const before = machine();
const results: Record<string, Measurement[]> = {};
for (const name of names) {
  const bench = await benches[name]?.();
  if (bench)
    results[name] = await bench({ quick: values.quick, say: (text) => process.stderr.write(`${name}: ${text}\n`) });
}
const load = { 'load before': before.load, 'load after': machine().load };
const { load: _, ...facts } = before;
if (values.json) console.log(JSON.stringify({ machine: { ...facts, ...load }, quick: values.quick, results }, null, 2));
else {
  console.log(
    Object.entries({ ...facts, ...load })
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n'),
  );
  for (const [name, measurements] of Object.entries(results)) console.log(`\n## ${name}\n\n${table(measurements)}`);
}
