import { simulatedClient } from '../simulated/client.ts';
import type { ArchiveClient } from './archive.ts';
import { directoryArchive } from './directory.ts';
import { httpArchive } from './http.ts';

/** A simulated exchange that serves at an address; without one the simulation runs in this process. */
const LOOPBACK = /^https?:\/\/(127\.|localhost|\[::1\])/;

/** The settings that are read here: `exchanges.binance`. */
export interface BinanceSettings {
  readonly archive: {
    readonly baseUrl: string;
    readonly listUrl: string;
    readonly directory?: string | undefined;
    readonly timeoutMs: number;
    readonly concurrency: number;
    readonly simulated: boolean;
  };
  readonly start: string;
  readonly dataTypes: readonly string[];
}

/** What the sources need at run time: `resources.binance`. */
export interface BinanceResource {
  /** The archive, the same client every time. `now` is the run's clock, milliseconds since 1970 UTC. */
  readonly archive: (now: () => number) => ArchiveClient;
  /** First day (UTC) that is observed, `2017-08-01`. */
  readonly start: string;
  /** Kinds of data that are wanted, in the words of the setting `dataTypes`. */
  readonly dataTypes: readonly string[];
  /** Most listings at once. */
  readonly concurrency: number;
}

/** The archive as configured: a mirror in a directory if there is one, else over HTTP. Nothing is opened yet. */
export function binanceResource({ archive, start, dataTypes }: BinanceSettings): BinanceResource {
  let client: ArchiveClient | undefined;
  return {
    archive: (now) => {
      client ??=
        archive.directory !== undefined
          ? directoryArchive(archive.directory)
          : archive.simulated && !LOOPBACK.test(archive.baseUrl)
            ? simulatedClient()
            : httpArchive({ ...archive, now });
      return client;
    },
    start,
    dataTypes,
    concurrency: archive.concurrency,
  };
}
