import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeSettings } from '../../framework/config/describe.ts';
import { resolveSettings } from '../../framework/config/resolve.ts';
import { sourcesOf } from '../config/support.ts';

const root = join(import.meta.dirname, '../..');
const text = await readFile(join(root, 'docs/s3.md'), 'utf8');
const storage = join(root, 'framework/storage');
const sources = (await readdir(storage)).filter((name) => name.startsWith('s3'));
const code = (await Promise.all(sources.map((name) => readFile(join(storage, name), 'utf8')))).join('\n');

const unique = (found: Iterable<RegExpMatchArray>) => [...new Set([...found].map(([, name]) => name))].sort();

test('docs/s3.md has every setting of s3, and no other', () => {
  const known = describeSettings(resolveSettings(sourcesOf(), {}))
    .map(({ name }) => name)
    .filter((name) => name.startsWith('s3.'));
  // `s3.multipart.thresholdMb`, `.partMb`: the second stands beside the first.
  const said = text.replace(/`s3\.(\w+)\.(\w+)`, `\.(\w+)`/g, '`s3.$1.$2` `s3.$1.$3`');
  expect(unique(said.matchAll(/`(s3(?:\.\w+)+)(?:: \w+)?`/g))).toEqual(known.sort());
});

test('the policy of docs/s3.md allows what is asked of S3, and no more', () => {
  const policy = /```json\n(.*?)```/s.exec(text)?.[1] ?? '';
  const { Statement } = JSON.parse(policy) as { Statement: { Action: string[] }[] };
  const asked = unique(code.matchAll(/permission: '(s3:\w+)'/g));
  expect(Statement.flatMap(({ Action }) => Action).sort()).toEqual(asked);
  expect(unique(text.matchAll(/^\| `(s3:\w+)` \|/gm))).toEqual(asked);
});

test('docs/s3.md says what to do about every error of the store', () => {
  const codes = unique(code.matchAll(/(?:code: |LakehouseError\(\s*)'([\w-]+)'/g));
  expect(codes.length).toBeGreaterThan(15);
  const table = text.slice(text.indexOf('## When something is wrong'));
  expect(codes.filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});
