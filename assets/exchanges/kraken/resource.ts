import { type RestResource, restResource } from '../rest/klines.ts';
import type { RestSettings } from '../rest/settings.ts';

/** What goes wrong is said in a list beside status 200: `{"error":["EGeneral:Too many requests"]}`. */
function problem(answer: unknown): { said: string; is?: 'later' | 'too often' } | undefined {
  const { error } = (answer ?? {}) as { readonly error?: unknown };
  if (!Array.isArray(error) || error.length === 0) return undefined;
  const said = error.join(', ');
  if (/Too many requests|Rate limit|lockout/i.test(said)) return { said, is: 'too often' };
  if (/^EService|Internal error/i.test(said)) return { said, is: 'later' };
  return { said };
}

/** `resources.kraken`. */
export const krakenResource = (settings: RestSettings): RestResource =>
  restResource(settings, { exchange: 'kraken', problem });
