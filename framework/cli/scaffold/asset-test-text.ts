import type { AssetDefinition, ColumnDefinition } from '../../define/model.ts';
import type { Dimension } from '../../partition/space.ts';
import { formatIndex, indexAt, startOf } from '../../partition/time.ts';
import type { AssetPlan, PlannedInput } from './asset-plan.ts';
import { isBytes, specifierFor, variableOf } from './asset-text.ts';

/** How the tests of a project are run. */
export type Runner = 'node' | 'vitest';

const IMPORTS: Readonly<Record<Runner, readonly string[]>> = {
  node: [
    "import assert from 'node:assert/strict';",
    "import { test } from 'node:test';",
    "import { runAsset } from 'crypto-lakehouse/testing';",
  ],
  vitest: ["import { runAsset } from 'crypto-lakehouse/testing';", "import { expect, test } from 'vitest';"],
};

/**
 * A first test of a planned asset: one partition, made of one literal row.
 * @param file where the test is to be.
 * @param asset the file of the asset.
 */
export function testModule(plan: AssetPlan, file: string, asset: string, runner: Runner): string {
  const { key, dimensions, input } = plan;
  const variable = variableOf(key);
  const own = dimensions.map(({ dimension }) => dimension);
  const start = startIn(own) ?? startIn(input?.definition.space.dimensions ?? []) ?? Date.UTC(2024, 0, 1);
  const given =
    input === undefined ? '' : `\n    inputs: ${wrapped('{}', [`${input.name}: ${inputText(input, start)}`], 4)},`;
  const [result, got, expected] = isBytes(plan)
    ? ['bytes', 'Buffer.from(bytes ?? []).toString()', BYTES]
    : ['rows', 'rows.length', '1'];
  const claim = runner === 'node' ? `assert.equal(${got}, ${expected})` : `expect(${got}).toBe(${expected})`;
  const zip = given.includes('writeZip(') ? ["import { writeZip } from 'crypto-lakehouse';"] : [];
  return `${[...IMPORTS[runner], ...zip].sort(nodeFirst).join('\n')}
import { ${variable} } from '${specifierFor({ from: { file: asset } }, file)}';

test('${key}: what comes of one row', async () => {
  const { ${result} } = await runAsset(${variable}, {
    partition: ${keyText(own, start)},${given}
  });
  ${claim};
});
`;
}

/** Node's own modules, then packages by name. */
function nodeFirst(a: string, b: string): number {
  const from = (line: string) => line.slice(line.indexOf("'")).replace("'node:", '!');
  return from(a) < from(b) ? -1 : 1;
}

const BYTES = "'what arrived'";

/** When the first partition begins; undefined without a time. */
function startIn(dimensions: readonly Dimension[]): number | undefined {
  const time = dimensions.find(({ type }) => type === 'time');
  return time?.type === 'time' ? startOf(time.grain, time.start) : undefined;
}

/** A partition that there could be, at an instant. */
function keyText(dimensions: readonly Dimension[], at: number): string {
  const values = dimensions.map((dimension) => {
    const { name, type } = dimension;
    const value = type === 'time' ? formatIndex(dimension.grain, indexAt(dimension.grain, at)) : dimension.values?.[0];
    return `${name}: '${value ?? 'X'}'`;
  });
  return values.length > 0 ? `{ ${values.join(', ')} }` : '{}';
}

/** One row, or the bytes of one; with its partition where that is not the one computed. */
function inputText({ definition, mapping }: PlannedInput, start: number): string {
  const { columns, storage, space } = definition;
  const isTable = definition.kind === 'asset' && storage.type === 'table';
  const isThere = mapping !== undefined;
  const indent = isThere ? 10 : 6;
  const row = columns.map((one) => `${one.name}: ${valueText(one, start)}`);
  const content = isTable ? wrapped('[]', [wrapped('{}', row, indent + 2)], indent) : bytesText(definition);
  if (!isThere) return content;
  const parts = [`partition: ${keyText(space.dimensions, start)}`, `${isTable ? 'rows' : 'bytes'}: ${content}`];
  return wrapped('[]', [wrapped('{}', parts, 8)], 6);
}

/** On one line where it fits, else each on a line of its own; `indent` is that of the line in which it begins. */
function wrapped(brackets: '[]' | '{}', items: readonly string[], indent: number): string {
  const [open = '', close = ''] = brackets;
  const inner = items.join(', ');
  const line = brackets === '{}' ? `{ ${inner} }` : `[${inner}]`;
  if (!line.includes('\n') && line.length + indent <= 112) return line;
  const pad = ' '.repeat(indent);
  return `${open}\n${items.map((item) => `${pad}  ${item},`).join('\n')}\n${pad}${close}`;
}

/** A file with one row of ones, as the format has it. */
function bytesText({ storage, columns }: AssetDefinition): string {
  if (storage.type !== 'raw' || storage.format.type === 'bytes') return BYTES;
  const ones = columns.map(() => '1');
  if (storage.format.type === 'zip-csv')
    return `writeZip('1.csv', Buffer.from('${ones.join(',')}\\n'), { modified: new Date('2024-01-01') })`;
  const path = storage.format.rows?.split('.') ?? [];
  const wrapped = path.reduceRight<unknown>((inner, name) => ({ [name === '*' ? 'all' : name]: inner }), [ones]);
  return `'${JSON.stringify(wrapped)}'`;
}

function valueText({ type }: ColumnDefinition, start: number): string {
  const at = new Date(start).toISOString();
  const [, scale] = /^DECIMAL\(\d+,(\d+)\)$/.exec(type) ?? [];
  if (scale !== undefined) return `'${(1).toFixed(Number(scale))}'`;
  switch (type) {
    case 'TIMESTAMP':
      return `new Date('${at.replace('.000Z', 'Z')}')`;
    case 'DATE':
      return `'${at.slice(0, 10)}'`;
    case 'BIGINT':
      return '1n';
    case 'INTEGER':
    case 'DOUBLE':
      return '1';
    case 'BOOLEAN':
      return 'true';
    default:
      return "'x'";
  }
}
