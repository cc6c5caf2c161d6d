import { expect, test } from 'vitest';
import { asset } from '../../framework/define/asset.ts';
import { check, monotonic, noGaps, rowCount, unique } from '../../framework/define/checks.ts';
import { bigint, columns, double, text, timestamp } from '../../framework/define/columns.ts';
import { drift, reconciles, references } from '../../framework/define/comparisons.ts';
import { daily, dynamicDimension } from '../../framework/define/dimensions.ts';
import { sql } from '../../framework/define/sql.ts';
import { compileCheck } from '../../framework/engine/check-query.ts';
import type { TypedColumn } from '../../framework/engine/duckdb.ts';
import { openDatabase } from '../../framework/engine/duckdb.ts';
import { inputColumns } from '../../framework/engine/inputs.ts';
import { relationColumns } from '../../framework/engine/partitions.ts';
import { workshop } from './support.ts';

const shop = await workshop();
const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
const names = asset('base/names', {
  partitions,
  columns: columns({ name: text(), at: timestamp(), size: double() }),
  sortBy: ['name'],
  compute: () => [],
});
const checked = asset('silver/checked', {
  partitions,
  inputs: { names },
  columns: columns({ at: timestamp(), name: text().nullable(), id: bigint(), size: double().nullable() }),
  sortBy: ['at'],
  timeColumn: 'at',
  checks: [
    unique(['name', 'id']),
    rowCount({ min: 1 }),
    noGaps('at', () => sql.raw('INTERVAL 1 MINUTE')),
    monotonic('id'),
    references('name', 'names'),
    drift({ column: 'size', window: { days: 30 }, max: { share: 0.5, deviations: 3 } }),
    drift({ measure: 'rows', window: { days: 30 }, max: { share: 0.5 } }),
    reconciles(names, { on: ['at'], columns: ['size'], tolerance: { absolute: 0.1 } }),
    check(
      'exact',
      ['id'],
      ({ rows, inputs }) =>
        sql`SELECT count(*) AS n FROM ${rows} HAVING count(*) <> (SELECT count(*) FROM ${inputs.names ?? null})`,
    ),
  ],
  compute: () => [],
});

test('every built-in check is one statement for all partitions of a batch', async () => {
  expect(checked.issues).toEqual([]);
  const database = await openDatabase({ tempDirectory: shop.directory });
  try {
    const forms = await database.session('test', new AbortController().signal, async (session) => {
      const out: Record<string, string> = {};
      for (const one of checked.checks) {
        if (one.test.type !== 'query') continue;
        const relations = new Map<string, readonly TypedColumn[]>([['rows', relationColumns(checked)]]);
        for (const { name, alternatives, summary } of one.reads.length > 0
          ? one.reads
          : checked.inputs.map((input) => ({ ...input, summary: undefined })))
          relations.set(name, await inputColumns(session, { definition: alternatives[0]?.asset ?? checked, summary }));
        const { form, reason } = await compileCheck(session, checked, one, one.test.select, relations);
        out[one.name] = reason ?? form;
      }
      return out;
    });
    expect(new Set(Object.values(forms))).toEqual(new Set(['fused']));
    expect(Object.keys(forms)).toHaveLength(9);
  } finally {
    database.close();
  }
});
