import { expect, test } from 'vitest';
import { parseChecksum, sha256Of, verifySha256 } from '../../assets/exchanges/binance/checksum.ts';
import { isLakehouseError } from '../../framework/common/errors.ts';

const bytes = Buffer.from('abc');
// FIPS 180-2, example of one block.
const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return isLakehouseError(error) && { code: error.code, kind: error.kind, message: error.message };
  }
  return undefined;
}

test('trap 21: with and without a final newline', () => {
  expect(sha256Of(bytes)).toBe(sha256);
  expect(parseChecksum(`${sha256}  a.zip`, 'l')).toEqual({ sha256, name: 'a.zip' });
  expect(parseChecksum(`${sha256}  a.zip\n`, 'l')).toEqual({ sha256, name: 'a.zip' });
});

test('anything else is refused', () => {
  const others = ['', sha256, `${sha256} a.zip`, `${sha256}  a.zip\n\n`, `${sha256}  a.zip\n${sha256}  b.zip\n`];
  others.push(
    `${sha256.slice(1)}  a.zip`,
    `${sha256}  ../a.zip`,
    `${sha256.toUpperCase()}  a.zip`,
    `<Error>${'x'.repeat(200)}`,
  );
  for (const text of others) {
    expect(errorOf(() => parseChecksum(text, 'k.CHECKSUM'))).toMatchObject({
      code: 'checksum-malformed',
      kind: 'data',
    });
  }
  expect(errorOf(() => parseChecksum('nope', 'k.CHECKSUM'))).toMatchObject({
    message: 'k.CHECKSUM is not a CHECKSUM: "nope"',
  });
});

test('verifying', () => {
  expect(verifySha256(bytes, `${sha256}  a.zip\n`, 'data/a.zip')).toBe(sha256);
  expect(errorOf(() => verifySha256(bytes, `${sha256}  b.zip`, 'data/a.zip'))).toEqual({
    code: 'checksum-of-another-file',
    kind: 'data',
    message: 'data/a.zip.CHECKSUM speaks of b.zip, not of a.zip',
  });
  expect(errorOf(() => verifySha256(Buffer.from('abd'), `${sha256}  a.zip`, 'data/a.zip'))).toEqual({
    code: 'checksum-mismatch',
    kind: 'data',
    message: `data/a.zip has SHA-256 a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9, but its CHECKSUM says ${sha256} (3 bytes)`,
  });
});
