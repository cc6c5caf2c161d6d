import { dirname, relative } from 'node:path';
import type { ColumnDefinition } from '../../define/model.ts';
import { type AssetPlan, type PlannedInput, ROWS } from './asset-plan.ts';
import { type Imports, imports } from './imports.ts';
import type { Exported } from './modules.ts';
import { isReserved } from './reserved.ts';

/** The name of the constant that an asset is exported as: `silver/funding_rates` is `silverFundingRates`. */
export const variableOf = (key: string): string =>
  key.replace(/[/_]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()).replaceAll('_', '');

/** What to import a value of another file by, from `file`. */
export function specifierFor({ from }: Pick<Exported, 'from'>, file: string): string {
  if ('entry' in from) return from.entry;
  const path = relative(dirname(file), from.file).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

const BUILDERS: Readonly<Record<string, string>> = {
  TIMESTAMP: 'timestamp',
  DATE: 'date',
  DOUBLE: 'double',
  BIGINT: 'bigint',
  INTEGER: 'integer',
  VARCHAR: 'text',
  BOOLEAN: 'boolean',
};

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', ' ')}'`;

function columnText({ name, type, nullable, description }: ColumnDefinition, framework: Imports): string {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type) ?? [];
  const builder = precision === undefined ? (BUILDERS[type] ?? 'text') : 'decimal';
  const arguments_ = precision === undefined ? '' : `${precision}, ${scale}`;
  const described = description === undefined ? '' : `.describe(${quoted(description)})`;
  return `    ${name}: ${framework.use(builder)}(${arguments_})${nullable ? '.nullable()' : ''}${described},`;
}

function inputText({ name, exported, mapping }: PlannedInput, local: Imports, framework: Imports): string {
  const value = local.use(exported.name);
  if (mapping === undefined) return name === value ? name : `${name}: ${value}`;
  const rules = Object.entries(mapping).map(([dimension, rule]) => `${dimension}: ${framework.use(rule)}()`);
  return `${name}: ${framework.use('from')}(${value}, ${rules.length > 0 ? `{ ${rules.join(', ')} }` : '{}'})`;
}

/**
 * The module that declares a planned asset.
 * @param file where it is to be, absolute.
 */
export function assetModule(plan: AssetPlan, file: string): string {
  const { key, dimensions, input, columns, sortBy, timeColumn } = plan;
  const local = imports(
    dimensions.map(({ exported }) => ({ name: exported.name, from: specifierFor(exported, file) })),
  );
  if (input) local.add(input.exported.name, specifierFor(input.exported, file));
  const framework = imports([], 'crypto-lakehouse', new Set(local.names()));
  const asset = framework.use('asset');
  const partitions = dimensions.map(({ dimension: { name }, exported }) => {
    const value = local.use(exported.name);
    return value === name ? name : `${name}: ${value}`;
  });
  const body = [
    `  description: 'What it is, in a sentence.',`,
    ...(partitions.length > 0 ? [`  partitions: { ${partitions.join(', ')} },`] : []),
    ...(input ? [`  inputs: { ${inputText(input, local, framework)} },`] : []),
    ...(isBytes(plan)
      ? [`  format: ${framework.use('bytes')}({ extension: '.bin' }),`]
      : [
          `  columns: ${framework.use('columns')}({`,
          ...columns.map((column) => columnText(column, framework)),
          '  }),',
          `  // Unique within a partition; the order of its rows.`,
          `  sortBy: [${sortBy.map(quoted).join(', ')}],`,
          ...(timeColumn === undefined ? [] : [`  timeColumn: ${quoted(timeColumn)},`]),
        ]),
    ...computeLines(plan, framework),
  ];
  const declaration = [`export const ${variableOf(key)} = ${asset}(${quoted(key)}, {`, ...body, '});'];
  return `${[...framework.lines(), ...local.lines()].join('\n')}\n\n${declaration.join('\n')}\n`;
}

/** Whether it is proposed to count the rows that it reads. */
const counts = ({ columns }: AssetPlan): boolean => columns.includes(ROWS);

/** Whether it keeps original bytes: of a source, or of bytes that are no rows. */
export const isBytes = ({ input, columns }: AssetPlan): boolean => input !== undefined && columns.length === 0;

function computeLines(plan: AssetPlan, framework: Imports): string[] {
  const { input, columns, form } = plan;
  if (isBytes(plan)) return [`  compute: ({ inputs }) => inputs.${input?.name}.bytes(),`];
  if (form === 'function') {
    if (input === undefined) return ['  compute: () => [{ value: 1 }],'];
    const names = columns.map(({ name }) => name);
    const all = names.join(', ');
    const copied = names.some(isReserved)
      ? `(row) => ({ ${names.map((name) => `${name}: row.${name}`).join(', ')} })`
      : `({ ${all} }) => ({ ${all} })`;
    const reads = `await inputs.${input.name}.rows()`;
    return counts(plan)
      ? [`  compute: async ({ inputs }) => [{ rows: (${reads}).length }],`]
      : ['  compute: async ({ inputs }) => {', `    const rows = ${reads};`, `    return rows.map(${copied});`, '  },'];
  }
  const sql = framework.use('sql');
  if (input === undefined) return [`  query: () => ${sql}\`SELECT 1::DOUBLE AS value\`,`];
  return [
    `  query: ({ ${input.name} }) => ${sql}\``,
    '    SELECT',
    columns.map(({ name }) => `      \${${input.name}.${name}} AS ${name}`).join(',\n'),
    `    FROM \${${input.name}}\`,`,
  ];
}
