import { type RestResource, restResource } from '../rest/klines.ts';
import type { RestSettings } from '../rest/settings.ts';

/** What goes wrong has a status and is said in a message: `{"message":"NotFound"}`. */
const problem = (answer: unknown): { said: string } | undefined => {
  const { message } = (answer ?? {}) as { readonly message?: unknown };
  return typeof message === 'string' ? { said: message } : undefined;
};

/** `resources.coinbase`. */
export const coinbaseResource = (settings: RestSettings): RestResource =>
  restResource(settings, { exchange: 'coinbase', problem });
