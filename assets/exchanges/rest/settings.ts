import { z } from 'zod';

/** The settings of an exchange whose candles are asked for by REST: the section `exchanges.<name>`. */
export const restSettings = <const TInterval extends string>(of: {
  /** As people write it: `Coinbase`. */
  readonly name: string;
  readonly baseUrl: string;
  readonly symbols: string[];
  readonly intervals: readonly TInterval[];
  /** Days that can be had at most. */
  readonly maxDays: number;
  readonly requestsPerSecond: number;
  /** Said after the list of intervals. */
  readonly about?: string;
}) =>
  z
    .object({
      enabled: z.boolean().default(false).meta({ description: 'Whether data of this exchange is fetched.' }),
      baseUrl: z
        .url({ protocol: /^https?$/, error: 'Expected an http or https URL' })
        .default(of.baseUrl)
        .meta({ description: 'Where the exchange answers.' }),
      symbols: z
        .array(z.string().regex(/^[^!\sa-z/,=]+$/u, 'A symbol is upper case, without spaces and slashes'))
        .min(1)
        .default(of.symbols)
        .meta({ description: `Symbols as ${of.name} writes them, or globs of symbols; '*' means all.` }),
      intervals: z
        .array(z.enum(of.intervals))
        .min(1)
        .default(['1h' as TInterval])
        .meta({ description: `Lengths of the candles: ${of.intervals.join(', ')}.${of.about ? ` ${of.about}` : ''}` }),
      days: z
        .int()
        .positive()
        .max(of.maxDays)
        .default(7)
        .meta({ description: 'How many closed days back (UTC) are fetched, where the exchange still has them.' }),
      timeoutMs: z.int().positive().default(30_000).meta({ description: 'Milliseconds that an answer may take.' }),
      requestsPerSecond: z
        .int()
        .positive()
        .default(of.requestsPerSecond)
        .meta({ description: 'Most requests that are sent in a second.' }),
    })
    .meta({ description: `${of.name}, spot candles by REST.` });

export type RestSettings = z.output<ReturnType<typeof restSettings<string>>>;
