import type { JsonDestination, SlackDestination } from './destinations.ts';
import { notDelivered, refused } from './failure.ts';
import { jsonOf, type Message, textOf } from './message.ts';
import { signed } from './signature.ts';

/** Answers that speak of the message, not of the address, who asks, or how busy the server is. */
const REFUSED: ReadonlySet<number> = new Set([400, 413, 415, 422]);
const LONGEST_ANSWER = 200;

export interface PostControl {
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
  /** ms UTC. */
  readonly now: () => number;
}

/** Posts `{ text }`. Slack's marks for links and mentions are escaped. */
export function postSlack({ url }: SlackDestination, message: Message, most: number, control: PostControl) {
  const text = textOf(message, most).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return post(url, JSON.stringify({ text }), {}, control);
}

/** Posts {@link jsonOf} the message, signed if there is a key. */
export function postJson(destination: JsonDestination, message: Message, control: PostControl): Promise<void> {
  const { url, headers, signingKey } = destination;
  const body = JSON.stringify(jsonOf(message));
  const signature = signingKey === undefined ? {} : signed(signingKey, message.id, body, control.now());
  return post(url, body, { ...headers, 'webhook-id': message.id, ...signature }, control);
}

/** @throws LakehouseError `alert-not-delivered`, `alert-refused`; never with the address in it. */
async function post(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  { signal, fetch, now }: PostControl,
): Promise<void> {
  let response: Response;
  let answer: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'crypto-lakehouse', ...headers },
      body,
      // Whatever it is redirected to would be asked with GET, and without a body.
      redirect: 'manual',
      signal,
    });
    answer = response.ok ? '' : await beginning(response);
    await response.body?.cancel();
  } catch (error) {
    throw notDelivered(`the request failed: ${reasonOf(error)}`);
  }
  if (response.ok) return;
  const text = `it answered ${response.status} ${response.statusText}`.trim() + (answer && `: ${answer}`);
  if (REFUSED.has(response.status)) throw refused(text);
  throw notDelivered(text, { retryAfterMs: retryAfter(response.headers.get('retry-after'), now()) });
}

async function beginning({ body }: Response): Promise<string> {
  if (!body) return '';
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length >= LONGEST_ANSWER) break;
  }
  return text.slice(0, LONGEST_ANSWER).replace(/\s+/g, ' ').trim();
}

/** Of what `fetch` throws the cause says what it was. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it took too long';
  const { cause } = error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? reasonOf(cause) : error.message;
}

function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
