import { LakehouseError } from 'crypto-lakehouse';

/** An answer that is none. */
export interface Refusal {
  readonly host: string;
  /** What was asked: path and query. */
  readonly what: string;
  readonly status: number;
  readonly body: Uint8Array;
  /** From the header Retry-After. */
  readonly retryAfterMs: number | undefined;
}

/** What the exchange says in the body of a refusal: `{"code":-1121,"msg":"Invalid symbol."}`. */
function saidIn(body: Uint8Array): { readonly code?: number; readonly msg?: string } {
  try {
    const said: unknown = JSON.parse(new TextDecoder().decode(body));
    if (typeof said !== 'object' || said === null) return {};
    return {
      ...('code' in said && typeof said.code === 'number' && { code: said.code }),
      ...('msg' in said && typeof said.msg === 'string' && { msg: said.msg }),
    };
  } catch {
    return {}; // a proxy's or a firewall's page
  }
}

/** Until when an address is banned, in milliseconds since 1970 UTC: by the header, and by the text of the body. */
export function bannedUntil({ body, retryAfterMs = 0 }: Refusal, nowMs: number): number {
  const [, until] = /banned until (\d{13})/.exec(saidIn(body).msg ?? '') ?? [];
  return Math.max(nowMs + retryAfterMs, Number(until ?? 0), nowMs + 1000);
}

/**
 * Every refusal but a ban as an error. Kind `transient`: `rest-rate-limited` and `rest-unavailable` (with `retryAfterMs` when the
 * server said it); `data`: `rest-unknown-symbol`; `usage`: `rest-blocked`, `rest-forbidden`, `rest-status`; `internal`: `rest-range`.
 */
export function refusalError({ host, what, status, body, retryAfterMs }: Refusal): LakehouseError {
  const { code, msg } = saidIn(body);
  const said = `${what}: ${host} answered ${status}${msg === undefined ? '' : ` (${[code, msg].filter(Boolean).join(': ')})`}`;
  const details = { host, status, ...(code !== undefined && { code }) };
  const error = (name: string, kind: LakehouseError['kind'], hint?: string) =>
    new LakehouseError(name, said, { kind, hint, details, ...(kind === 'transient' && { retryAfterMs }) });
  if (status === 429) return error('rest-rate-limited', 'transient');
  if (status >= 500 || status === 408) return error('rest-unavailable', 'transient');
  if (code === -1121) {
    return error(
      'rest-unknown-symbol',
      'data',
      'The exchange no longer has it. The next run asks which symbols there are.',
    );
  }
  if (code === -4088) return error('rest-range', 'internal');
  if (status === 451) {
    return error(
      'rest-blocked',
      'usage',
      'The exchange does not serve this location. Switch REST off (exchanges.binance.rest.enabled=false): the archive has the same data a day later. For spot, baseUrls.spot may be https://data-api.binance.vision.',
    );
  }
  if (status === 403) {
    return error(
      'rest-forbidden',
      'usage',
      "The exchange's firewall, or a proxy on the way, refuses this address. Wait some minutes, and ask less at once (exchanges.binance.rest.concurrency).",
    );
  }
  return error('rest-status', 'usage', 'Check exchanges.binance.rest.baseUrls.');
}
