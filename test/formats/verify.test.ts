import { expect, test } from 'vitest';
import { isLakehouseError } from '../../framework/common/errors.ts';
import { verifyMember } from '../../framework/formats/verify.ts';
import { inflateMember, readSingleMember, writeZip, type ZipMember } from '../../framework/formats/zip.ts';

/** Compresses to almost nothing, and is far more than is inflated at once. */
const large = Buffer.alloc(40 * 1024 * 1024, '1577836800000,7195.24,7196.25\n');
const small = large.subarray(0, 100_000);
const memberOf = (content: Uint8Array): ZipMember =>
  readSingleMember(writeZip('a.csv', content, { modified: new Date('2024-01-01') }), 'a.zip');

/** What is wrong with a member, as both ways of looking at it say. */
async function outcomes(member: ZipMember): Promise<unknown[]> {
  const told = (error: unknown) =>
    isLakehouseError(error) ? `${error.kind} ${error.code}: ${error.message}` : Promise.reject(error);
  return Promise.all([
    verifyMember(member).then(() => 'sound', told),
    Promise.resolve(member)
      .then(inflateMember)
      .then(() => 'sound', told),
  ]);
}

test('a member of any size is sound, or wrong in the words in which it is when it is inflated at once', async () => {
  for (const content of [small, large]) {
    const sound = memberOf(content);
    const { compressed, size } = sound;
    const flipped = Buffer.from(compressed);
    flipped[flipped.length >> 1] = ~(flipped[flipped.length >> 1] ?? 0);
    const wrong: Record<string, ZipMember> = {
      crc: { ...sound, crc32: sound.crc32 ^ 1 },
      shorter: { ...sound, size: size - 1 },
      longer: { ...sound, size: size + 1 },
      'cut off': { ...sound, compressed: compressed.subarray(0, compressed.length >> 1) },
      trailing: { ...sound, compressed: Buffer.concat([compressed, Buffer.from('more')]) },
      garbage: { ...sound, compressed: Buffer.alloc(compressed.length, 0xff) },
    };
    expect(await outcomes(sound)).toEqual(['sound', 'sound']);
    for (const [name, member] of Object.entries(wrong)) {
      const [streamed, atOnce] = await outcomes(member);
      expect(`${name}: ${streamed}`).toBe(`${name}: ${atOnce}`);
      expect(streamed).toMatch(/^data zip-/);
    }
    const [streamed] = await outcomes({ ...sound, compressed: flipped });
    expect(streamed).toMatch(/^data zip-/);
  }
});

test('a large one is verified in little memory', async () => {
  const member = memberOf(Buffer.alloc(300 * 1024 * 1024, '1577836800000,7195.24,7196.25\n'));
  let most = 0;
  const before = process.memoryUsage().arrayBuffers;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }, 1);
  try {
    await verifyMember(member);
  } finally {
    clearInterval(watch);
  }
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(member.size / 2);
});
