import { didYouMean } from '../common/suggest.ts';
import type { ListedRule, MappingSpec, TimeRule } from '../partition/mapping.ts';
import type { PartitionSpace } from '../partition/space.ts';
import { type InputDefinition, isDefinition } from './model.ts';
import { checkNames, type Report } from './report.ts';
import type { InputSpec, InputsShape } from './types.ts';

/** Facts of the asset whose inputs are built. */
interface Own {
  readonly key: string;
  readonly space: PartitionSpace;
  readonly hasBar: boolean;
}
type Alternative = InputSpec['alternatives'][number];

/** The inputs as data; whether the spaces fit each other is found out when the graph is built. */
export function buildInputs(inputs: InputsShape, own: Own, report: Report): InputDefinition[] {
  checkNames(Object.keys(inputs), 'an input', (name) => ['inputs', name], report);
  let readsItself: string | undefined;
  return Object.entries(inputs).map(([name, given]): InputDefinition => {
    const spec: Pick<InputSpec, 'need' | 'asks' | 'alternatives'> = isDefinition(given)
      ? { need: 'required', alternatives: [{ asset: given, mappings: undefined }] }
      : given;
    if (spec.alternatives.some(({ optional }) => optional)) {
      const hint =
        'Write ifPresent(firstAvailable(…)) for what may be missing altogether, and self() as an input of its own';
      report('optional-alternative', ['inputs', name], 'an alternative cannot be ifPresent() or self()', hint);
    } else if (spec.alternatives.some(({ asset }) => asset === undefined)) {
      if (readsItself !== undefined) {
        const hint = 'Let one go back far enough, and choose from its rows';
        report('two-selves', ['inputs', name], `the asset reads itself as '${readsItself}' already`, hint);
      }
      readsItself ??= name;
    }
    return {
      name,
      need: spec.need,
      ...(spec.asks === false && { asks: false }),
      alternatives: spec.alternatives.map((alternative) => ({
        asset: alternative.asset,
        mapping: buildMapping(alternative, own, (code, path, ...rest) =>
          report(code, ['inputs', name, ...path], ...rest),
        ),
      })),
    };
  });
}

function buildMapping({ asset, mappings }: Alternative, own: Own, report: Report): MappingSpec {
  const { key, space } = asset ?? own;
  const listed: Record<string, ListedRule> = {};
  let time: TimeRule | undefined;
  for (const [name, mapping] of Object.entries(mappings ?? {})) {
    const type = space.dimensions.find((dimension) => dimension.name === name)?.type;
    if (type === undefined) {
      const names = space.dimensions.map((dimension) => dimension.name);
      report('unknown-dimension', [name], `${key} has no dimension '${name}'`, didYouMean(name, names));
    } else if (type === 'time') {
      if (mapping.time) time = mapping.time;
      else
        report(
          'wrong-mapping',
          [name],
          'this mapping is not one of time',
          'Use window(), overlapping(), all(), at() or timesBy()',
        );
    } else if (asset === undefined) {
      report(
        'self-listed',
        [name],
        'an asset reads itself in the same series only',
        'Map its time alone: self({ … earlier() })',
      );
    } else if (mapping.listed) listed[name] = mapping.listed;
    else
      report(
        'wrong-mapping',
        [name],
        'this mapping is one of time',
        'Use all(), only(), same(), dimension() or valuesBy()',
      );
  }
  if (asset && mappings === undefined) checkSameDimensions(key, space, own, report);
  const bars = time?.rule === 'window' && [time.from, time.to].some((bound) => bound && 'bars' in bound);
  if (bars && !own.hasBar) {
    report(
      'no-bar-length',
      [space.time?.name ?? ''],
      'a window in bars needs their length',
      'Give the asset the option bar: (values) => milliseconds',
    );
  }
  if (asset === undefined) return { time: time ?? { rule: 'same' }, listed, self: true };
  return { time: space.time === undefined ? { rule: 'all' } : (time ?? { rule: 'same' }), listed };
}

/** An input without `from()` has the dimensions of the asset that reads it. What it has more is found when mappings are resolved. */
function checkSameDimensions(key: string, up: PartitionSpace, { space }: Own, report: Report): void {
  for (const { name, type } of space.dimensions) {
    if (up.dimensions.some((dimension) => dimension.name === name) || (type === 'time' && up.time)) continue;
    report(
      'mapping-needed',
      [],
      `${key} has no dimension '${name}'`,
      `Write from(…, {}) to read the same partition for every ${name}`,
    );
  }
  if (up.time && space.time && up.time.grain === space.time.grain && up.time.name !== space.time.name) {
    const message = `${key} has the time dimension '${up.time.name}', this asset has '${space.time.name}'`;
    report('mapping-needed', [], message, `Write from(…, { ${up.time.name}: overlapping() })`);
  }
}
