import { createHash } from 'node:crypto';
import { LakehouseError } from 'crypto-lakehouse';

const PIECE = 2 ** 30;

/** What a `.CHECKSUM` object says. */
export interface Checksum {
  /** Lower-case hex. */
  readonly sha256: string;
  /** The file it is the hash of, without directories. */
  readonly name: string;
}

/**
 * Reads `<sha256>␠␠<name>`, with or without a final newline (spot files have none, most futures files have one).
 * @param label the CHECKSUM's own key, for the error.
 * @throws LakehouseError `checksum-malformed` of kind `data`.
 */
export function parseChecksum(text: string, label: string): Checksum {
  const [, sha256, name] = /^([0-9a-f]{64}) {2}([^\s/\\]+)\n?$/.exec(text) ?? [];
  if (sha256 !== undefined && name !== undefined) return { sha256, name };
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  throw new LakehouseError('checksum-malformed', `${label} is not a CHECKSUM: ${JSON.stringify(shown)}`, {
    kind: 'data',
    hint: 'Expected 64 hex digits, two spaces and a file name.',
  });
}

export function sha256Of(bytes: Uint8Array): string {
  const hash = createHash('sha256');
  // It takes less than 2 GiB at a time, and a month of trades may have more.
  for (let at = 0; at < bytes.length; at += PIECE) hash.update(bytes.subarray(at, at + PIECE));
  return hash.digest('hex');
}

/**
 * Proves that bytes are what their CHECKSUM was made for.
 * @param name the file's name or key; its last part must be the name in the CHECKSUM.
 * @param actual the SHA-256 of the bytes, where it is known already.
 * @returns the SHA-256, lower-case hex.
 * @throws LakehouseError of kind `data`: `checksum-mismatch` (names both hashes), `checksum-of-another-file`, `checksum-malformed`.
 */
export function verifySha256(bytes: Uint8Array, checksumText: string, name: string, actual = sha256Of(bytes)): string {
  const expected = parseChecksum(checksumText, `${name}.CHECKSUM`);
  const file = name.slice(name.lastIndexOf('/') + 1);
  if (expected.name !== file) {
    throw new LakehouseError(
      'checksum-of-another-file',
      `${name}.CHECKSUM speaks of ${expected.name}, not of ${file}`,
      {
        kind: 'data',
      },
    );
  }
  if (actual === expected.sha256) return actual;
  throw new LakehouseError(
    'checksum-mismatch',
    `${name} has SHA-256 ${actual}, but its CHECKSUM says ${expected.sha256} (${bytes.length} bytes)`,
    {
      kind: 'data',
      hint: 'The file and its CHECKSUM were published at different times, or one is damaged. It is tried again when either changes.',
      details: { expected: expected.sha256, actual },
    },
  );
}
