import { type ArchiveClient, objectNotFound } from '../binance/archive.ts';
import { type SimulatedArchive, simulatedArchive } from './archive.ts';
import { SIMULATED } from './defaults.ts';

/**
 * The simulated archive without a server, for looking at a simulated lake while none runs. Versions are those that the HTTP
 * client sees, so a lake made over HTTP stays fresh.
 */
export function simulatedClient(archive: SimulatedArchive = simulatedArchive(SIMULATED)): ArchiveClient {
  const describe = 'the simulated exchange (in this process)';
  const version = (etag: string, bytes: number) => `${etag}+${bytes}`;
  return {
    describe,
    async *list(prefix, { startAfter } = {}) {
      for (const key of archive.keys()) {
        if (!key.startsWith(prefix) || (startAfter !== undefined && key <= startAfter)) continue;
        const head = archive.head(key);
        if (head)
          yield { key, bytes: head.bytes, version: version(head.etag, head.bytes), modifiedMs: head.modifiedMs };
      }
    },
    listPrefixes: async (prefix) => {
      const found = archive.keys().filter((key) => key.startsWith(prefix) && key.indexOf('/', prefix.length) > 0);
      return [...new Set(found.map((key) => key.slice(0, key.indexOf('/', prefix.length) + 1)))];
    },
    get: async (key) => {
      const head = archive.head(key);
      const bytes = archive.body(key);
      if (!head || !bytes) throw objectNotFound(key, describe);
      return { bytes, version: version(head.etag, bytes.length) };
    },
  };
}
