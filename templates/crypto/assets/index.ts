import { defineLakehouse } from 'crypto-lakehouse';
import { lakehouse as crypto } from 'crypto-lakehouse/assets';
import { goldRange } from './gold/range.ts';

/** All that the crypto lakehouse has (`npx lakehouse assets`), and what is added here. */
export const lakehouse = defineLakehouse({
  ...crypto,
  assets: [...crypto.assets, goldRange],
});
