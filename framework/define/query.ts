import { serializeError } from '../common/errors.ts';
import { didYouMean } from '../common/suggest.ts';
import type { AssetDefinition, CheckDefinition, CheckRead, InputDefinition } from './model.ts';
import { misplacedPlaceholder } from './placeholders.ts';
import { partitionReferences, relation } from './relations.ts';
import type { Report } from './report.ts';
import { isSqlTemplate, type SqlTemplate } from './sql.ts';
import type { CheckSpec, Relation } from './types.ts';
import { buildInputs } from './upstreams.ts';

type Readable = Pick<AssetDefinition, 'columns' | 'space'>;
export type LooseQuery = (inputs: never, context: never) => SqlTemplate;

/** The names a query can use of something: data columns and dimensions. */
const namesOf = ({ columns, space }: Readable): string[] => [...columns, ...space.dimensions].map(({ name }) => name);

/** The template of the query; undefined, and reported, if there is something wrong with it. */
export function buildQuery(
  query: LooseQuery,
  inputs: readonly InputDefinition[],
  own: Readable,
  report: Report,
): SqlTemplate | undefined {
  const relations = Object.fromEntries(inputs.map((input) => [input.name, inputRelation(input, own)]));
  const context = { partition: partitionReferences(own.space) };
  return checked(['query'], 'bad-query', () => query(relations as never, context as never), report);
}

/** What checks are built of. */
interface Checked extends Readable, Pick<AssetDefinition, 'key' | 'inputs' | 'sortBy'> {
  readonly hasBar: boolean;
}

/** Checks as data. One that has something wrong with it is reported and left out. */
export function buildChecks(specs: readonly CheckSpec[], own: Checked, report: Report): CheckDefinition[] {
  const { columns, space, sortBy } = own;
  const rows = relation('rows', namesOf({ columns, space }));
  const names = new Set<string>();
  return specs.flatMap((spec) => {
    const { name, description, severity, blocking, build } = spec;
    const path = ['checks', name];
    if (names.has(name)) report('duplicate-check', path, 'two checks have this name');
    names.add(name);
    let test: CheckDefinition['test'] | undefined;
    let reads: readonly CheckRead[] = [];
    checked(
      path,
      'bad-check',
      () => {
        reads = buildReads(spec, own, report);
        // What an asset reads of itself is not committed yet while its batch is.
        const others = own.inputs.filter(({ alternatives }) =>
          alternatives.every(({ asset }) => asset?.kind === 'asset'),
        );
        const inputs = inputRelations(spec.inputs ? reads : others, own);
        test = build({ rows, partition: partitionReferences(space), inputs, sortBy });
        return test.type === 'rows' ? test.bad : test.select;
      },
      report,
    );
    if (reads.length > 0 && blocking) {
      const hint = 'Leave `blocking` out; what is to block must be held against inputs of the asset';
      report('blocking-comparison', path, 'a check with inputs of its own cannot block', hint);
    }
    return test ? [{ name, description, severity, blocking, reads, test }] : [];
  });
}

function buildReads({ name, inputs, summaries = {} }: CheckSpec, own: Checked, report: Report): CheckRead[] {
  const given = inputs?.(own.space.time?.name) ?? {};
  if ('rows' in given) report('bad-name', ['checks', name, 'inputs', 'rows'], "the partition itself is called 'rows'");
  return buildInputs(given, own, (code, path, ...rest) => report(code, ['checks', name, ...path], ...rest)).map(
    (read) => ({ ...read, summary: summaries[read.name] }),
  );
}

/** Relations by input. @throws TypeError for an input that is not there. */
function inputRelations(inputs: readonly CheckRead[], own: Readable): Readonly<Record<string, Relation<string>>> {
  const known = new Map(inputs.map((input) => [input.name, inputRelation(input, own)]));
  return new Proxy<Record<string, Relation<string>>>(
    {},
    {
      get: (_, name) => {
        const found = known.get(String(name));
        if (found !== undefined) return found;
        const hint = didYouMean(String(name), [...known.keys()]);
        throw new TypeError(`there is no input '${String(name)}' that a check can read${hint ? `. ${hint}` : ''}`);
      },
    },
  );
}

/** An input's rows in a query: of its columns those that all alternatives have, for which one is read is chosen per partition. */
function inputRelation({ name, alternatives, summary }: CheckRead, own: Readable): Relation<string> {
  const [first = [], ...rest] = alternatives.map(({ asset }) => namesOf(asset ?? own));
  if (summary) return relation(name, []);
  return relation(
    name,
    first.filter((column) => rest.every((other) => other.includes(column))),
  );
}

function checked(
  path: readonly string[],
  code: string,
  write: () => SqlTemplate,
  report: Report,
): SqlTemplate | undefined {
  try {
    const template: unknown = write();
    if (!isSqlTemplate(template)) {
      report(code, path, 'must be an sql`…` template');
      return undefined;
    }
    const problem = misplacedPlaceholder(template);
    if (problem === undefined) return template;
    report(code, path, problem);
  } catch (error) {
    report(code, path, serializeError(error).message);
  }
  return undefined;
}
