const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

function base32(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest >>= 5n) text = `${DIGITS[Number(rest & 31n)]}${text}`;
  return text;
}

/**
 * Names for runs and files: 9 digits of milliseconds and 8 of chance in base 32 (as in ULID, without i, l, o, u), so that they sort
 * by time. Those of one generator strictly rise, several in a millisecond too.
 */
export function idGenerator(now: () => number, random: (bytes: number) => Uint8Array): () => string {
  let last = 0;
  return () => {
    last = Math.max(now(), last + 1);
    const chance = random(5).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return base32(BigInt(last), 9) + base32(chance, 8);
  };
}
