import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { isLakehouseError } from '../../common/errors.ts';
import { notDelivered } from './failure.ts';
import { jsonOf, type Message, standing, titleOf } from './message.ts';

const LONGEST_COMPLAINT = 400;
const LAST_WORDS_MS = 100;

/**
 * Runs a program with the message as JSON on its standard input and the gist of it in `LAKEHOUSE_ALERT_*`. Exit code 0 says that it
 * was delivered. When time is up it is killed, with all that it started.
 * @param env of the program, besides.
 * @throws LakehouseError `alert-not-delivered`.
 */
export async function runCommand(
  [program = '', ...args]: readonly string[],
  message: Message,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw notDelivered('stopped');
  const child = spawn(program, args, {
    stdio: ['pipe', 'ignore', 'pipe'],
    // A group of its own, so that it can be ended with its children.
    detached: true,
    env: { ...env, ...variablesOf(message) },
  });
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      child.kill('SIGKILL');
    }
  };
  signal.addEventListener('abort', kill, { once: true });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-LONGEST_COMPLAINT);
  });
  // It need not read what it is given.
  child.stdin.on('error', () => undefined).end(`${JSON.stringify(jsonOf(message))}\n`);
  try {
    const [code, by] = (await once(child, 'exit')) as [number | null, string | null];
    if (code === 0) return;
    // What it leaves running may hold the pipe for ever.
    await Promise.race([once(child.stderr, 'close'), setTimeout(LAST_WORDS_MS)]);
    const said = complaint.replace(/\s+/g, ' ').trim();
    const end = signal.aborted ? 'it took too long' : code === null ? `it was ended by ${by}` : `it ended with ${code}`;
    throw notDelivered(said === '' ? end : `${end}: ${said}`);
  } catch (error) {
    throw isLakehouseError(error) ? error : notDelivered(`it could not be started: ${(error as Error).message}`);
  } finally {
    signal.removeEventListener('abort', kill);
    child.stderr.destroy();
  }
}

function variablesOf({ id, notices, origin }: Message): Record<string, string> {
  const now = standing(notices);
  const count = (kind: string) => String(now.filter((notice) => notice.kind === kind).length);
  const bad = now.filter(({ kind }) => kind !== 'cleared').map(({ alert }) => alert.severity);
  return {
    LAKEHOUSE_ALERT_ID: id,
    LAKEHOUSE_ALERT_TITLE: titleOf({ notices }),
    LAKEHOUSE_ALERT_SEVERITY: bad.includes('error') ? 'error' : bad.length > 0 ? 'warn' : 'over',
    LAKEHOUSE_ALERT_RAISED: count('raised'),
    LAKEHOUSE_ALERT_CLEARED: count('cleared'),
    LAKEHOUSE_ALERT_LAKE: origin.lake,
  };
}
