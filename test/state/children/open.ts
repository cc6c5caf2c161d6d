/** Tries to open and use a state in a process of its own (as another user): `open.ts <path> <mode>`. Prints the head or the error's code. */
import { writeSync } from 'node:fs';
import { isLakehouseError } from '../../../framework/common/errors.ts';
import { openState } from '../../../framework/state/sqlite.ts';
import { materialized } from '../make.ts';

const [path = '', mode = 'read'] = process.argv.slice(2);
try {
  const state = openState(path, { now: () => 1, readOnly: mode === 'read' });
  if (mode === 'append') state.append(materialized('u', 0, []));
  writeSync(1, `head ${state.refresh().head}`);
  state.close();
} catch (error) {
  if (!isLakehouseError(error)) throw error;
  writeSync(1, `${error.code}: ${error.message}`);
}
