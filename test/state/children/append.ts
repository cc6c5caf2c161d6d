/** Appends events from a process of its own: `append.ts <path> <who> <count> <mode>`. Mode `read` refreshes instead, until all are there. */
import { writeSync } from 'node:fs';
import { openState } from '../../../framework/state/sqlite.ts';
import { materialized, outcome } from '../make.ts';

const [path = '', who = '', count = '0', mode = 'write'] = process.argv.slice(2);
let clock = 1;
const state = openState(path, { now: () => clock++, readOnly: mode === 'read' });
const revisions: number[] = [];
for (let i = 0; mode === 'write' && i < Number(count); i++) {
  // All write into the same two series, so that every append has to see the ones before.
  const content = { [i]: `${who}${i}`, [1000 + (i % 7)]: `${who}${i}` };
  const event = materialized('a', state.index().head, [outcome(`symbol=${i % 2}`, content, 0)], {
    files: [{ path: `${who}/${i}`, bytes: 1 }],
  });
  revisions.push(state.append(event).revision);
  if (i === Number(count) / 2) state.checkpoint();
}
let looks = 0;
while (mode === 'read' && state.refresh().head < Number(count)) {
  state.details('a', 'symbol=1');
  looks++;
}
state.close();
writeSync(1, JSON.stringify({ revisions, looks }));
