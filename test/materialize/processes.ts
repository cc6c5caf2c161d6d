import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildOptions } from './child.ts';
import { atEnd } from './support.ts';

export interface Child {
  readonly process: ChildProcess;
  /** Lines printed so far. */
  readonly lines: readonly Record<string, unknown>[];
  /** All lines, when it has ended. */
  readonly ended: Promise<readonly Record<string, unknown>[]>;
}

/** Starts a process that materializes; killed after the test if it still runs. */
export function startChild(options: ChildOptions): Child {
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--no-warnings', join(import.meta.dirname, 'child.ts'), JSON.stringify(options)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Compiled once for all of them.
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
    },
  );
  const lines: Record<string, unknown>[] = [];
  let rest = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(JSON.parse(part) as Record<string, unknown>);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close').then(() => {
    if (errors !== '') throw new Error(`the child complained: ${errors}`);
    return lines;
  });
  ended.catch(() => undefined);
  atEnd(async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended.catch(() => undefined);
  });
  return { process: child, lines, ended };
}

/** Waits until a process is stopped by SIGSTOP. */
export async function untilStopped({ process: child }: Child): Promise<void> {
  const state = () => /\) (\w)/.exec(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))?.[1];
  while (state() !== 'T') {
    if (child.exitCode !== null) throw new Error('it ended instead of stopping');
    await sleep(10);
  }
}

/** How many partitions a child's lines say were computed, by asset. */
export function computed(lines: readonly Record<string, unknown>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type, asset, partitions } of lines) {
    if (type === 'batch-finished') counts[String(asset)] = (counts[String(asset)] ?? 0) + Number(partitions);
  }
  return counts;
}
