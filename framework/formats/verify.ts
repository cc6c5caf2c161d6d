import { crc32, createInflateRaw } from 'node:zlib';
import { LakehouseError } from '../common/errors.ts';
import { checkCrc, checkLength, inflateMember, notInflatable, type ZipMember } from './zip.ts';

/** Inflated at once up to here: that is faster, and takes some milliseconds. */
const AT_ONCE = 8 * 1024 * 1024;
const PIECE = 1024 * 1024;

/**
 * Verifies length and CRC-32 of a member of any size in little memory, without holding up the process.
 * @throws LakehouseError as `inflateMember` does.
 */
export async function verifyMember(member: ZipMember): Promise<void> {
  if (member.method === 'stored' || member.size <= AT_ONCE) {
    inflateMember(member);
    return;
  }
  const inflate = createInflateRaw({ chunkSize: PIECE });
  inflate.end(member.compressed);
  let length = 0;
  let crc = 0;
  try {
    for await (const piece of inflate as AsyncIterable<Uint8Array>) {
      length += piece.length;
      // More than is said may be much more.
      if (length > member.size) checkLength(member, length, 0);
      crc = crc32(piece, crc);
    }
  } catch (cause) {
    throw cause instanceof LakehouseError ? cause : notInflatable(member, cause);
  }
  checkLength(member, length, inflate.bytesWritten);
  checkCrc(member, crc);
}
