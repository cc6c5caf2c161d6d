import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifySha256 } from '../../assets/exchanges/binance/checksum.ts';
import { isLakehouseError, type LakehouseError } from '../../framework/common/errors.ts';
import { asGzip, firstByte, inflateMember, readSingleMember, writeZip } from '../../framework/formats/zip.ts';

const modified = new Date('2024-03-01T08:15:42Z');
const text = Array.from(
  { length: 500 },
  (_, i) => `${1577836800000 + i * 60_000},7195.24,${(i * 7919) % 1000},0\n`,
).join('');
const csv = Buffer.from(text);
const zip = writeZip('day.csv', csv, { modified });
const END = zip.length - 22;
const CENTRAL = END - 46 - 'day.csv'.length;

const read = (bytes: Uint8Array): Uint8Array => inflateMember(readSingleMember(bytes, 'x.zip'));

/** A copy of the zip with numbers overwritten: [offset, bytes of the number, value]. */
function patched(...edits: [at: number, size: 1 | 2 | 4, value: number][]): Uint8Array {
  const copy = Buffer.from(zip);
  for (const [at, size, value] of edits) copy.writeUIntLE(value, at, size);
  return copy;
}

function errorOf(run: () => unknown): LakehouseError {
  try {
    run();
  } catch (error) {
    if (isLakehouseError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** `same` or the code of the data error; other content fails the test. */
function outcomeOf(bytes: Uint8Array): string {
  try {
    expect(Buffer.from(read(bytes)).equals(csv)).toBe(true);
    return 'same';
  } catch (error) {
    if (isLakehouseError(error) && error.kind === 'data') return error.code;
    throw error;
  }
}

function refusal(bytes: Uint8Array): string {
  const { kind, code, message } = errorOf(() => read(bytes));
  expect(kind).toBe('data');
  return `${code}: ${message}`;
}

/** The member stored, not deflated. */
function storedZip(content: Uint8Array): Uint8Array {
  const deflated = Buffer.from(writeZip('s.csv', content, { modified, level: 0 }));
  // Level 0 frames the bytes in blocks of up to 65,535: take the stream out, put the bytes in.
  const start = 30 + 5;
  const central = deflated.length - 22 - 46 - 5;
  const end = Buffer.from(deflated.subarray(central));
  const head = Buffer.from(deflated.subarray(0, start));
  head.writeUInt16LE(0, 8);
  head.writeUInt32LE(content.length, 18);
  end.writeUInt16LE(0, 10);
  end.writeUInt32LE(content.length, 20);
  end.writeUInt32LE(start + content.length, end.length - 6);
  return Buffer.concat([head, content, end]);
}

describe('reading', () => {
  test('tells the member as the zip describes it', () => {
    const { compressed, ...rest } = readSingleMember(zip, 'k.zip');
    expect(rest).toEqual({
      label: 'k.zip',
      name: 'day.csv',
      method: 'deflate',
      size: csv.length,
      crc32: Buffer.from(zip).readUInt32LE(14),
      modified,
    });
    expect(compressed.buffer).toBe(zip.buffer); // a view
    expect(Buffer.from(read(zip)).equals(csv)).toBe(true);
  });

  test('a stored member, an empty one, a comment at the end, an offset into a larger buffer', () => {
    expect(Buffer.from(read(storedZip(csv))).equals(csv)).toBe(true);
    expect(read(writeZip('e', new Uint8Array(), { modified })).length).toBe(0);
    const commented = Buffer.concat([patched([END + 20, 2, 5]), Buffer.from('hello')]);
    expect(Buffer.from(read(commented)).equals(csv)).toBe(true);
    const inside = Buffer.concat([Buffer.from('before'), zip]).subarray(6);
    expect(Buffer.from(read(inside)).equals(csv)).toBe(true);
  });

  test('a data descriptor: the local header holds zeros, the directory knows', () => {
    const data = patched(
      [6, 2, 8],
      [14, 4, 0],
      [18, 4, 0],
      [22, 4, 0],
      [CENTRAL + 8, 2, 8],
      [END + 16, 4, CENTRAL + 16],
    );
    const descriptor = Buffer.concat([Buffer.from('PK\x07\x08', 'latin1'), zip.subarray(14, 26)]);
    const bytes = Buffer.concat([data.subarray(0, CENTRAL), descriptor, data.subarray(CENTRAL)]);
    expect(Buffer.from(read(bytes)).equals(csv)).toBe(true);
  });
});

describe('refusing', () => {
  test('each damage has its own code and sentence', () => {
    const second = Buffer.concat([zip.subarray(CENTRAL, END), zip.subarray(CENTRAL)]);
    const two = Buffer.concat([zip.subarray(0, CENTRAL), second]);
    two.writeUInt16LE(2, two.length - 14);
    two.writeUInt16LE(2, two.length - 12);
    two.writeUInt32LE((END - CENTRAL) * 2, two.length - 10);
    const empty = Buffer.alloc(22);
    empty.writeUInt32LE(0x06054b50);
    expect({
      html: refusal(Buffer.from('<html>Not found</html>')),
      nothing: refusal(new Uint8Array()),
      half: refusal(zip.subarray(0, zip.length >> 1)),
      empty: refusal(empty),
      two: refusal(two),
      encrypted: refusal(patched([CENTRAL + 8, 2, 1])),
      method: refusal(patched([CENTRAL + 10, 2, 93])),
      zip64: refusal(patched([CENTRAL + 24, 4, 0xffffffff])),
      zip64end: refusal(patched([END + 16, 4, 0xffffffff])),
      split: refusal(patched([END + 4, 2, 1])),
      directory: refusal(patched([END + 16, 4, CENTRAL - 1])),
      entry: refusal(patched([CENTRAL + 28, 2, 3])),
      member: refusal(patched([CENTRAL + 42, 4, 7])),
      longer: refusal(patched([CENTRAL + 20, 4, zip.length])),
      disagree: refusal(patched([18, 4, 1])),
      bomb: refusal(patched([22, 4, 0x7fffffff], [CENTRAL + 24, 4, 0x7fffffff])),
      crc: refusal(patched([14, 4, 0], [CENTRAL + 16, 4, 0])).replace(/CRC-32 \w{8}/, 'CRC-32 …'),
      moreBytes: refusal(patched([22, 4, csv.length - 1], [CENTRAL + 24, 4, csv.length - 1])),
      fewerBytes: refusal(patched([22, 4, csv.length + 9], [CENTRAL + 24, 4, csv.length + 9])),
    }).toMatchInlineSnapshot(`
      {
        "bomb": "zip-sizes-do-not-fit: x.zip is a damaged zip: 2350 bytes cannot hold the 2147483647 bytes it claims",
        "crc": "zip-crc-mismatch: x.zip has CRC-32 … after inflating, but its directory says 00000000",
        "directory": "zip-sizes-do-not-fit: x.zip is a damaged zip: its directory is not where its end record says",
        "disagree": "zip-sizes-do-not-fit: x.zip is a damaged zip: its directory and its member header disagree",
        "empty": "zip-empty: x.zip is a zip without any member",
        "encrypted": "zip-encrypted: x.zip is an encrypted zip",
        "entry": "zip-sizes-do-not-fit: x.zip is a damaged zip: its directory is longer or shorter than its one entry",
        "fewerBytes": "zip-size-mismatch: x.zip inflates to 13942 bytes where its directory says 13951",
        "half": "zip-truncated: x.zip begins like a zip but has no directory at its end (1231 bytes)",
        "html": "zip-not-a-zip: x.zip is not a zip (22 bytes)",
        "longer": "zip-sizes-do-not-fit: x.zip is a damaged zip: its member is longer than the room before its directory",
        "member": "zip-sizes-do-not-fit: x.zip is a damaged zip: its member does not begin where its directory says",
        "method": "zip-unsupported-method: x.zip is compressed with method 93; only 0 (stored) and 8 (deflate) are read",
        "moreBytes": "zip-size-mismatch: x.zip inflates to more than the 13941 bytes its directory says",
        "nothing": "zip-not-a-zip: x.zip is empty, not a zip",
        "split": "zip-split: x.zip is one part of a zip that was split over several files",
        "two": "zip-several-members: x.zip is a zip with 2 members; exactly one was expected",
        "zip64": "zip-zip64: x.zip is a zip64 archive; only zips below 4 GB are read",
        "zip64end": "zip-zip64: x.zip is a zip64 archive; only zips below 4 GB are read",
      }
    `);
  });

  test('bytes after the end of the deflate stream', () => {
    const stream = Buffer.concat([deflateRawSync(csv), Buffer.from('junk')]);
    const member = { ...readSingleMember(zip, 'x.zip'), compressed: stream };
    expect(errorOf(() => inflateMember(member)).code).toBe('zip-corrupt-stream');
  });

  test('a bit flipped in the stream never gives other content, wherever it is', () => {
    const outcomes = new Map<string, number>();
    for (let bit = (30 + 'day.csv'.length) * 8; bit < CENTRAL * 8; bit += 5) {
      const copy = Buffer.from(zip);
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      // Some flips are harmless: the last byte's unused bits, a copy taken from another place with the same text.
      const outcome = outcomeOf(copy);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    const { same = 0, ...errors } = Object.fromEntries(outcomes);
    expect(Object.keys(errors).sort()).toEqual(['zip-corrupt-stream', 'zip-crc-mismatch', 'zip-size-mismatch']);
    expect(same).toBeLessThan(20);
  });

  test('a zip cut anywhere is never a success', () => {
    for (let sixteenth = 0; sixteenth < 16; sixteenth++) {
      expect(() => read(zip.subarray(0, Math.floor((zip.length * sixteenth) / 16)))).toThrow();
    }
    for (let cut = 1; cut < 200; cut++) expect(() => read(zip.subarray(0, zip.length - cut))).toThrow();
  });

  test('any byte changed anywhere gives the same content or a data error', () => {
    fc.assert(
      fc.property(fc.nat(zip.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const copy = Buffer.from(zip);
        copy[at] = (copy[at] ?? 0) ^ change;
        expect(outcomeOf(copy)).toMatch(/^(same|zip-.*)$/);
      }),
      { numRuns: 1000 },
    );
  });
});

const contents = fc.oneof(
  fc.uint8Array({ maxLength: 5000 }),
  fc.integer({ min: 0, max: 300_000 }).map((n) => new Uint8Array(n).fill(65)),
  fc.array(fc.integer(), { maxLength: 3000 }).map((numbers) => Buffer.from(numbers.join(','))),
);

test('writeZip, readSingleMember and inflateMember give back what went in; asGzip is a gzip of it', () => {
  const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  // The zip format knows 1980 to 2107 in steps of 2 s.
  const times = fc.integer({ min: 315532800 / 2, max: 4354819198 / 2 }).map((s) => new Date(s * 2000));
  fc.assert(
    fc.property(names, contents, times, fc.integer({ min: 0, max: 9 }), (name, content, when, level) => {
      const bytes = writeZip(name, content, { modified: when, level });
      const member = readSingleMember(bytes, 'x');
      expect([member.name, member.size, member.modified]).toEqual([name, content.length, when]);
      expect(Buffer.from(inflateMember(member)).equals(content)).toBe(true);
      expect(gunzipSync(asGzip(member)).equals(content)).toBe(true);
      expect(firstByte(member)).toBe(content[0]);
      expect(Buffer.from(writeZip(name, content, { modified: when, level })).equals(bytes)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('asGzip and firstByte of a stored member', () => {
  const member = readSingleMember(storedZip(csv), 's');
  expect(member.method).toBe('stored');
  expect(gunzipSync(asGzip(member)).equals(csv)).toBe(true);
  expect(firstByte(member)).toBe(csv[0]);
});

test('firstByte reads on when the first piece of a stream yields nothing', () => {
  // Thousands of empty blocks before the first byte.
  const nothing = Buffer.alloc(5000, Buffer.from([0, 0, 0, 0xff, 0xff]));
  const stream = Buffer.concat([nothing, deflateRawSync(Buffer.from('open'))]);
  const member = { ...readSingleMember(zip, 'x.zip'), compressed: stream, size: 4 };
  expect(firstByte(member)).toBe('o'.charCodeAt(0));
});

test('firstByte of a damaged stream is a data error', () => {
  const member = { ...readSingleMember(zip, 'x.zip'), compressed: Buffer.alloc(600, 0xff) };
  expect(errorOf(() => firstByte(member))).toMatchObject({ kind: 'data', code: 'zip-corrupt-stream' });
});

test('writeZip refuses a time that a zip cannot hold', () => {
  expect(errorOf(() => writeZip('x', csv, { modified: new Date(0) })).code).toBe('zip-time');
});

const real = '../shared/data/archive';
describe.skipIf(!existsSync(real))('real archive files (skipped where ../shared/data is absent)', () => {
  const zips = (existsSync(real) ? readdirSync(real, { recursive: true, encoding: 'utf8' }) : []).filter((f) =>
    f.endsWith('.zip'),
  );

  test('traps 21 and 22: all have one member of their own name, inflate, match their CHECKSUM, and are the same as gzip', () => {
    expect(zips.length).toBeGreaterThan(50);
    for (const file of zips) {
      const bytes = readFileSync(join(real, file));
      const member = readSingleMember(bytes, file);
      const content = inflateMember(member);
      expect(member.name).toBe(file.slice(file.lastIndexOf('/') + 1).replace('.zip', '.csv'));
      expect(firstByte(member)).toBe(content[0]);
      expect(gunzipSync(asGzip(member)).equals(content)).toBe(true);
      verifySha256(bytes, readFileSync(join(real, `${file}.CHECKSUM`), 'utf8'), file);
    }
  });
});
