import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { isLakehouseError } from '../../framework/common/errors.ts';
import { type OpenStateOptions, openState } from '../../framework/state/sqlite.ts';
import type { StateWriter } from '../../framework/state/store.ts';

/** A directory that is gone when the test is over. */
export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'state-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Opens a state again and again, with a clock that ticks one second per look. */
export function lakeAt(path: string) {
  let now = 1_700_000_000_000;
  const open = (options: Partial<OpenStateOptions> = {}): StateWriter => {
    const state = openState(path, { now: () => (now += 1000), ...options });
    onTestFinished(() => state.close());
    return state;
  };
  return { path, open };
}

/** A state in a directory of its own. */
export function lake() {
  const directory = temporary();
  return { directory, ...lakeAt(join(directory, 'state.sqlite')) };
}

/** Makes a state file what an older program would have left. */
export function downgrade(path: string, schema: 1 | 2): void {
  const db = new DatabaseSync(path);
  db.exec(`DROP TRIGGER files_vacated; DROP TRIGGER files_forgotten; DROP TRIGGER counters_pruned; DROP TABLE departures; DROP TABLE history; DROP INDEX files_spare; ALTER TABLE files DROP COLUMN written;
    ALTER TABLE counters DROP COLUMN pruned_at; UPDATE meta SET value = '${schema}' WHERE key = 'schema'`);
  if (schema === 1) db.exec('ALTER TABLE runs DROP COLUMN tags');
  db.close();
}

/** One point of the index as plain data. */
export function pointOf(
  state: { index(): ReturnType<StateWriter['index']> },
  asset: string,
  series: string,
  time: number,
) {
  const index = state.index();
  const found = index.asset(asset)?.series.get(series);
  const at = time - (found?.base ?? 0);
  if (found === undefined || at < 0 || at >= found.length) return undefined;
  return {
    changed: found.changed[at],
    verified: found.verified[at],
    code: index.codes[found.code[at] as number],
    choice: index.choices[found.choice[at] as number],
    flags: found.flags[at],
  };
}

/** Runs a script of `children/` in a process of its own and returns what it printed. */
export function child(
  script: string,
  args: string[],
  options: { uid?: number } = {},
): { pid: number; done: Promise<string> } {
  const file = fileURLToPath(new URL(`./children/${script}`, import.meta.url));
  const process_ = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const done = new Promise<string>((resolve, reject) => {
    let out = '';
    let err = '';
    process_.stdout.on('data', (chunk) => (out += chunk));
    process_.stderr.on('data', (chunk) => (err += chunk));
    process_.on('error', reject);
    process_.on('close', (code, signal) =>
      code === 0 || signal === 'SIGKILL'
        ? resolve(out)
        : reject(new Error(`${script} ended with ${code ?? signal}: ${err}`)),
    );
  });
  return { pid: process_.pid ?? 0, done };
}

/** What a call throws, as far as tests compare it. */
export function refusal(
  body: () => unknown,
): { code: string; kind: string; message: string; hint: string | undefined } | undefined {
  try {
    body();
    return undefined;
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    return { code: error.code, kind: error.kind, message: error.message, hint: error.hint };
  }
}
