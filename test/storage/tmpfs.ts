import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small file system of its own, which can be filled or made read-only for root too. */
export interface Tmpfs {
  readonly path: string;
  remount(options: string): void;
}

function mount(...args: string[]): boolean {
  return spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
}

function make(options: string): Tmpfs | undefined {
  const path = mkdtempSync(join(tmpdir(), 'lakehouse-tmpfs-'));
  if (!mount('-t', 'tmpfs', '-o', options, 'tmpfs', path)) {
    rmdirSync(path);
    return undefined;
  }
  return {
    path,
    remount: (changed) => {
      if (!mount('-o', `remount,${changed}`, path)) throw new Error(`remount,${changed} ${path} failed`);
    },
  };
}

function remove({ path }: Tmpfs): void {
  spawnSync('umount', ['-l', path], { stdio: 'ignore' });
  rmdirSync(path);
}

/** Whether this user may mount. Tests that need it skip with {@link noTmpfs} in their name. */
export const canMount: boolean = (() => {
  const probe = make('size=64k');
  if (probe !== undefined) remove(probe);
  return probe !== undefined;
})();

export const noTmpfs = canMount ? '' : ' (SKIPPED: this user may not mount a tmpfs)';

export async function withTmpfs(options: string, use: (fs: Tmpfs) => Promise<void>): Promise<void> {
  const fs = make(options);
  if (fs === undefined) throw new Error('may not mount a tmpfs');
  try {
    await use(fs);
  } finally {
    remove(fs);
  }
}
