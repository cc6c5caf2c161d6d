import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

// What the compiler says about every line of refused.test-d.ts. Whoever sees it has only this text to go by.

const repository = join(import.meta.dirname, '../..');
let project = '';

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'type-messages-'));
  await mkdir(join(project, 'test'));
  await symlink(join(repository, 'node_modules'), join(project, 'node_modules'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  const settings = {
    extends: join(repository, 'tsconfig.json'),
    compilerOptions: { paths: { 'crypto-lakehouse': [join(repository, 'framework/index.ts')] } },
    include: ['test'],
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(settings));
  await copyFile(join(import.meta.dirname, 'lake.ts'), join(project, 'test/lake.ts'));
});

afterAll(() => rm(project, { recursive: true, force: true }));

function compile(): Promise<string> {
  const command = [join(repository, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json', '--pretty', 'false'];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: project }, (_, stdout) => resolve(stdout));
  });
}

test('every refusal says what is wrong', async () => {
  const refused = (await readFile(join(import.meta.dirname, 'refused.test-d.ts'), 'utf8')).split('\n');
  const expected = refused.filter((line) => line.trim() === '// @ts-expect-error').length;
  const lines = refused.map((line) => (line.trim() === '// @ts-expect-error' ? '' : line));
  await writeFile(join(project, 'test/refused.ts'), lines.join('\n'));

  const shown: string[] = [];
  let errors = 0;
  for (const line of (await compile()).split('\n')) {
    const error = /^test\/refused\.ts\((\d+),\d+\): error TS\d+: (.*)$/.exec(line);
    if (error) {
      const above = lines.slice(0, Number(error[1])).reverse();
      const name = (word: string) =>
        above.map((l) => new RegExp(`^ *${word}\\('(.*?)',`).exec(l)?.[1]).find((n) => n !== undefined);
      shown.push(`\n# ${name('describe')}: ${name('test')}`, error[2] ?? '');
      errors++;
    } else if (line !== '') shown.push(line);
  }
  expect(errors).toBe(expected);
  expect(shown.join('\n')).toMatchInlineSnapshot(`
    "
    # a misspelt column: of an input in a query
    Property 'clsoe' does not exist on type 'Relation<"close" | "count" | "date" | "exchange" | "market" | "open" | "open_time" | "symbol">'. Did you mean 'close'?

    # a misspelt column: of a file in a query
    Property 'opn' does not exist on type 'Relation<"close" | "count" | "date" | "exchange" | "market" | "open" | "open_time" | "symbol">'. Did you mean 'open'?

    # a misspelt column: that only one alternative has
    Property 'count' does not exist on type 'Relation<"close" | "exchange" | "market" | "open" | "open_time" | "symbol">'.

    # a misspelt column: of the asset itself
    Property 'closs' does not exist on type 'Relation<"close" | "date" | "exchange" | "market" | "open_time" | "symbol">'. Did you mean 'close'?

    # a misspelt column: of an input in a compute function
    Property 'clsoe' does not exist on type 'RowOf<{ readonly open_time: Column<Date>; readonly open: Column<string>; readonly close: Column<string>; readonly count: Column<bigint | null>; }>'. Did you mean 'close'?

    # a misspelt column: of an input read as arrays
    Type '"clsoe"' is not assignable to type '"close" | "count" | "open" | "open_time"'. Did you mean '"close"'?

    # a misspelt column: in sortBy
    Type '"open_tme"' is not assignable to type '"close" | "open_time"'. Did you mean '"open_time"'?

    # a misspelt column: in timeColumn
    Type '"opentime"' is not assignable to type '"close" | "open_time"'. Did you mean '"open_time"'?

    # a misspelt column: in a check
    Type 'CheckSpec<"open_tme">' is not assignable to type 'CheckSpec<"close" | "open_time">'.
      Type '"open_tme"' is not assignable to type '"close" | "open_time"'. Did you mean '"open_time"'?

    # a misspelt column: in a check of several columns
    Type 'CheckSpec<"close" | "opn">' is not assignable to type 'CheckSpec<"close" | "open_time">'.
      Type '"close" | "opn"' is not assignable to type '"close" | "open_time"'.
        Type '"opn"' is not assignable to type '"close" | "open_time"'.

    # a misspelt column: in the callback of a check
    Property 'clsoe' does not exist on type '{ readonly close: ColumnReference; }'.

    # a misspelt dimension or input: in a query
    Property 'symbl' does not exist on type 'PartitionReferences<"date" | "exchange" | "market" | "symbol">'. Did you mean 'symbol'?

    # a misspelt dimension or input: in a compute function
    Property 'symbl' does not exist on type 'PartitionKey<{ readonly exchange: StaticDimension<"binance">; readonly market: StaticDimension<"spot" | "um">; readonly symbol: DynamicDimension; readonly date: TimeDimensionSpec<"day">; }>'. Did you mean 'symbol'?

    # a misspelt dimension or input: an unknown input
    Property 'kline' does not exist on type '{ readonly klines: Relation<"close" | "count" | "date" | "exchange" | "market" | "open" | "open_time" | "symbol">; }'.

    # an input whose dimensions differ: a listed one is missing here
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'klines': silver/klines has the dimension 'symbol', this asset has not: write from(…, { symbol: all() }), only(…) or dimension(…)"'.

    # an input whose dimensions differ: the time dimension is missing here
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'klines': silver/klines has the dimension 'date', this asset has no time: write from(…, { date: all() }) or at(…)"'.

    # an input whose dimensions differ: one is missing there
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'klines': silver/klines has no dimension 'quantile': write from(…, {}) to read the same partition for every quantile"'.

    # an input whose dimensions differ: the time dimension is missing there
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'timeless': silver/symbols has no dimension 'date': write from(…, {}) to read the same partition at every date"'.

    # an input whose dimensions differ: one has other values
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'klines': 'market' is not the same in silver/klines as here: write from(…, { market: same() }), all() or only(…)"'.

    # an input whose dimensions differ: one is of another kind
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'klines': 'symbol' is not the same in silver/klines as here: write from(…, { symbol: same() }), all() or only(…)"'.

    # an input whose dimensions differ: time has another grain
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'klines': 'date' is one day in silver/klines and one month here: write from(…, { date: overlapping() })"'.

    # an input whose dimensions differ: time has another name
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'klines': silver/klines has the time dimension 'date', this asset has 'month': write from(…, { date: overlapping() })"'.

    # an input whose dimensions differ: several, of several inputs
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'klines': silver/klines has the dimension 'date', this asset has no time: write from(…, { date: all() }) or at(…)" | "definition error: input 'klines': silver/klines has the dimension 'symbol', this asset has not: write from(…, { symbol: all() }), only(…) or dimension(…)" | "definition error: input 'opaque': bronze/opaque has no dimension 'exchange': write from(…, {}) to read the same partition for every exchange" | "definition error: input 'opaque': bronze/opaque has the dimension 'date', this asset has no time: write from(…, { date: all() }) or at(…)"'.

    # an input whose dimensions differ: a mapping leaves one out
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'k': silver/klines has the dimension 'date', this asset has no time: write from(…, { date: all() }) or at(…)"'.

    # an input whose dimensions differ: also where it is read if present
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'k': silver/klines has the dimension 'symbol', this asset has not: write from(…, { symbol: all() }), only(…) or dimension(…)"'.

    # an input whose dimensions differ: of one alternative, whatever the other says
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'k': silver/klines has the dimension 'symbol', this asset has not: write from(…, { symbol: all() }), only(…) or dimension(…)"'.

    # a mapping that does not fit: of a dimension the upstream has not
    Type 'AllMapping' is not assignable to type '"silver/klines has no dimension 'symbl'"'.

    # a mapping that does not fit: a listed one on time
    Type 'ListedMapping<"2020-01-01">' is not assignable to type 'AllMapping | TimeMapping'.
      Property 'time' is missing in type 'ListedMapping<"2020-01-01">' but required in type 'AllMapping'.

    # a mapping that does not fit: one of time on a listed dimension
    Type 'TimeMapping' is not assignable to type 'AllMapping | ListedMapping<string>'.
      Property 'listed' is missing in type 'TimeMapping' but required in type 'AllMapping'.

    # a mapping that does not fit: at() on a listed dimension
    Type 'TimeMapping' is not assignable to type 'AllMapping | ListedMapping<"spot" | "um">'.
      Property 'listed' is missing in type 'TimeMapping' but required in type 'AllMapping'.

    # a mapping that does not fit: same() and dimension() on time
    Type 'ListedMapping<never>' is not assignable to type 'AllMapping | TimeMapping'.
      Property 'time' is missing in type 'ListedMapping<never>' but required in type 'AllMapping'.

    # a mapping that does not fit: same() and dimension() on time
    Type 'ListedMapping<never>' is not assignable to type 'AllMapping | TimeMapping'.
      Property 'time' is missing in type 'ListedMapping<never>' but required in type 'AllMapping'.

    # a mapping that does not fit: only() of a value there is not
    Type 'ListedMapping<"spott">' is not assignable to type 'AllMapping | ListedMapping<"spot" | "um">'.
      Type 'ListedMapping<"spott">' is not assignable to type 'ListedMapping<"spot" | "um">'.
        Type '"spott"' is not assignable to type '"spot" | "um"'. Did you mean '"spot"'?

    # a mapping that does not fit: earlier() of another asset
    Type 'SelfMapping' is not assignable to type 'AllMapping | TimeMapping'.
      Type 'SelfMapping' is not assignable to type 'TimeMapping'.
        Types of property ''~to'' are incompatible.
          Type '"itself" | undefined' is not assignable to type '"another asset" | undefined'.
            Type '"itself"' is not assignable to type '"another asset"'.

    # a mapping that does not fit: a window of the asset itself
    Type 'TimeMapping' is not assignable to type 'SelfMapping'.
      Types of property ''~to'' are incompatible.
        Type '"another asset" | undefined' is not assignable to type '"itself" | undefined'.
          Type '"another asset"' is not assignable to type '"itself"'.

    # a mapping that does not fit: another series of the asset itself
    Type 'AllMapping' is not assignable to type 'SelfMapping'.
      Types of property ''~to'' are incompatible.
        Type '"another asset" | undefined' is not assignable to type '"itself" | undefined'.
          Type '"another asset"' is not assignable to type '"itself"'.

    # a mapping that does not fit: self() over what is not the time dimension
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: input 'before': self() maps the time dimension, and 'dat' is not it"'.

    # a partition key: with an unknown dimension
    Object literal may only specify known properties, but 'symbl' does not exist in type 'Flat<{ readonly market: "spot" | "um"; readonly symbol: string; readonly date: \`\${number}-\${number}-\${number}\`; } & { readonly exchange?: "binance"; }>'. Did you mean to write 'symbol'?

    # a partition key: with an unknown value
    Type '"spott"' is not assignable to type '"spot" | "um"'. Did you mean '"spot"'?

    # a partition key: with a time of another grain
    Type '"2020-01"' is not assignable to type '\`\${number}-\${number}-\${number}\`'.

    # a partition key: that is not complete
    Property 'market' is missing in type '{ symbol: string; date: "2020-01-01"; }' but required in type 'Flat<{ readonly market: "spot" | "um"; readonly symbol: string; readonly date: \`\${number}-\${number}-\${number}\`; } & { readonly exchange?: "binance"; }>'.

    # a compute function that returns: a column of another type
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: compute: column 'close' is number or null, the rows have string"'.

    # a compute function that returns: a column of another type, at once
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: compute: column 'close' is number or null, the rows have string"'.

    # a compute function that returns: NULL where the column has none
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: compute: column 'open_time' is Date, the rows have null"'.

    # a compute function that returns: rows without a column
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: compute: the rows have no column 'open_time'"'.

    # a compute function that returns: rows with a column too many
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: compute: 'clsoe' of the rows is not a column"'.

    # a compute function that returns: one row
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: compute: an asset with columns returns an array of rows"'.

    # a compute function that returns: bytes for a table
    Argument of type '"gold/x"' is not assignable to parameter of type '"definition error: compute: an asset with columns returns an array of rows"'.

    # a compute function that returns: rows for a file
    Argument of type '"bronze/x"' is not assignable to parameter of type '"definition error: compute: an asset with a format returns its bytes, a Uint8Array"'.

    # a freshness policy: by data time without a time dimension
    Type 'FreshnessPolicy<"data">' is not assignable to type 'Freshness<{ readonly market: StaticDimension<"spot" | "um">; }>'.
      Type 'FreshnessPolicy<"data">' is not assignable to type 'FreshnessPolicy<"materialization" | "there is no time dimension to be behind in: write materializedWithin(…)">'.
        Type '"data"' is not assignable to type '"materialization" | "there is no time dimension to be behind in: write materializedWithin(…)"'.

    # a freshness policy: by data time without any dimension
    Type 'FreshnessPolicy<"data">' is not assignable to type 'FreshnessPolicy<"materialization" | "there is no time dimension to be behind in: write materializedWithin(…)">'.
      Type '"data"' is not assignable to type '"materialization" | "there is no time dimension to be behind in: write materializedWithin(…)"'.

    # a freshness policy: by data time, of a source
    Type 'FreshnessPolicy<"data">' is not assignable to type 'Freshness<{ readonly market: StaticDimension<"spot" | "um">; }>'.
      Type 'FreshnessPolicy<"data">' is not assignable to type 'FreshnessPolicy<"materialization" | "there is no time dimension to be behind in: write materializedWithin(…)">'.
        Type '"data"' is not assignable to type '"materialization" | "there is no time dimension to be behind in: write materializedWithin(…)"'.

    # a freshness policy: of no length
    Argument of type '{}' is not assignable to parameter of type 'TimeSpan'.

    # a freshness policy: in another unit
    Object literal may only specify known properties, and 'weeks' does not exist in type 'TimeSpan'.

    # what there is not: a source with inputs
    Object literal may only specify known properties, and 'inputs' does not exist in type 'SourceOptions<Record<never, never>>'.

    # what there is not: a misspelt option
    Object literal may only specify known properties, but 'sortby' does not exist in type 'AssetOptions<Record<never, never>, Record<never, never>, Columns<{ readonly at: Column<Date>; readonly x: Column<number>; }>, undefined, never>'. Did you mean to write 'sortBy'?

    # what there is not: a template with something else in it
    Object literal may only specify known properties, and 'a' does not exist in type 'Date | SqlReference | SqlTemplate'.

    # what there is not: a template with something else in it
    Argument of type 'undefined' is not assignable to parameter of type 'SqlValue'."
  `);
});
