import { createHmac } from 'node:crypto';

/**
 * Headers of a signed message after the specification Standard Webhooks 1.0, so that its libraries verify it: `webhook-signature` is
 * `v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`. A receiver computes it from the body as it came, compares it
 * in constant time, refuses a timestamp that is more than five minutes off, and drops an id that it has seen: then nobody can replay it.
 * @param key base64, with or without `whsec_`.
 * @param now ms UTC, of this attempt.
 */
export function signed(key: string, id: string, body: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const secret = Buffer.from(key.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
