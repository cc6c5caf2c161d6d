import { serializeError } from '../common/errors.ts';
import type { PartitionSpace } from '../partition/space.ts';
import type { AssetDefinition, CheckDefinition, ColumnDefinition, InputDefinition } from './model.ts';
import { misplacedPlaceholder } from './placeholders.ts';
import { partitionReferences, relation } from './relations.ts';
import type { Report } from './report.ts';
import { isSqlTemplate, type SqlTemplate } from './sql.ts';
import type { CheckSpec, Relation } from './types.ts';

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
  const relations: Record<string, Relation<string>> = {};
  for (const { name, alternatives } of inputs) {
    // What all alternatives have: which one is read is chosen per partition.
    const [first = [], ...rest] = alternatives.map(({ asset }) => namesOf(asset ?? own));
    relations[name] = relation(
      name,
      first.filter((column) => rest.every((other) => other.includes(column))),
    );
  }
  const context = { partition: partitionReferences(own.space) };
  return checked(['query'], 'bad-query', () => query(relations as never, context as never), report);
}

/** Checks as data. One that has something wrong with it is reported and left out. */
export function buildChecks(
  specs: readonly CheckSpec[],
  columns: readonly ColumnDefinition[],
  space: PartitionSpace,
  report: Report,
): CheckDefinition[] {
  const context = { rows: relation('rows', namesOf({ columns, space })), partition: partitionReferences(space) };
  const names = new Set<string>();
  return specs.flatMap(({ name, description, severity, blocking, build }) => {
    const path = ['checks', name];
    if (names.has(name)) report('duplicate-check', path, 'two checks have this name');
    names.add(name);
    let test: CheckDefinition['test'] | undefined;
    checked(
      path,
      'bad-check',
      () => {
        test = build(context);
        return test.type === 'rows' ? test.bad : test.select;
      },
      report,
    );
    return test ? [{ name, description, severity, blocking, test }] : [];
  });
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
