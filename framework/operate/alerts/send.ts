import { LakehouseError } from '../../common/errors.ts';
import { runCommand } from './command.ts';
import type { Destination } from './destinations.ts';
import { sendEmail } from './email.ts';
import type { Message } from './message.ts';
import { postJson, postSlack } from './webhook.ts';

export interface SendControl {
  /** Aborted: give up this attempt. */
  readonly signal: AbortSignal;
  /** ms UTC. */
  readonly now: () => number;
  /** Alerts that a text for people names. */
  readonly maxLines: number;
  /** Of commands. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch?: typeof fetch;
}

/**
 * One attempt, which takes no longer than the destination's timeout.
 * @returns what is to be said though it was delivered.
 * @throws LakehouseError `alert-not-delivered` (transient), `alert-refused` (data: this message, not others).
 */
export async function send(
  destination: Destination,
  message: Message,
  { signal, now, maxLines, env, fetch = globalThis.fetch }: SendControl,
): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(destination.timeoutMs)]);
  const control = { signal: limit, now, fetch };
  switch (destination.type) {
    case 'slack':
      await postSlack(destination, message, maxLines, control);
      return undefined;
    case 'json':
      await postJson(destination, message, control);
      return undefined;
    case 'email': {
      const rejected = await sendEmail(destination, message, maxLines, limit);
      return rejected.length > 0 ? `the server refused ${rejected.join(', ')}` : undefined;
    }
    case 'command':
      await runCommand(destination.command, message, env, limit);
      return undefined;
  }
}

/** What is sent to see whether a destination can be reached. */
export function testMessage(id: string, at: number, origin: Message['origin']): Message {
  const alert = {
    key: 'test',
    rule: 'runs',
    severity: 'warn',
    title: 'this is a test',
    text: 'Nothing is wrong: lakehouse alerts test has sent it.',
    subject: { kind: 'daemon', name: 'test' },
    since: at,
    fields: { test: true },
  } as const;
  return { id, at, origin, notices: [{ kind: 'raised', at, alert }] };
}

/** Why it cannot be delivered to a destination that the settings have not. */
export function noDestination(name: string): LakehouseError {
  return new LakehouseError('unknown-destination', `No destination of alerts is named '${name}'`);
}
