import { openLakehouse } from 'crypto-lakehouse';
import { fewDays, smallLake } from './lake.ts';

// Another process on the lake of the directory given: prices rise by one with each line on stdin, all at once.

const [directory = ''] = process.argv.slice(2);
const days = fewDays();
const { definition } = smallLake(days);
await using lake = await openLakehouse({
  cwd: directory,
  env: {},
  definition,
  set: { dataDir: './data', 'workflow.retryAttempts': 0 },
  onWarning: () => undefined,
});
process.stdout.write('ready\n');
process.stdin.setEncoding('utf8');
for await (const _ of process.stdin) {
  for (const [key, prices] of days)
    days.set(
      key,
      prices.map((price) => price + 100),
    );
  const { outcome } = await lake.materialize();
  process.stdout.write(`${outcome}\n`);
}
