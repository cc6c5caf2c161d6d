import type { AssetDefinition, Observation } from '../../define/model.ts';
import { formatIndex } from '../../partition/time.ts';
import type { Content, Contents } from './literal.ts';

/** As good as for ever, in ms. */
const LONG_MS = 1e15;

/** The asset as it is, but for reading stand-ins instead of others. */
export function standingIn(asset: AssetDefinition, contents: ReadonlyMap<string, Contents>) {
  const standIns = new Map([...contents].map(([key, one]) => [key, standIn(one)]));
  const inputs = asset.inputs.map((input) => ({
    ...input,
    alternatives: input.alternatives.map((one) => ({ ...one, asset: one.asset && standIns.get(one.asset.key) })),
  }));
  const alone: AssetDefinition = {
    ...asset,
    inputs,
    // What a comparison reads is not given.
    checks: asset.checks.filter(({ reads }) => reads.length === 0),
    freshness: [],
    automation: undefined,
  };
  return { asset: alone, standIns: [...standIns.values()] };
}

/** An asset of the same name, partitions and columns that has what it was given. */
function standIn({ definition, parts }: Contents): AssetDefinition {
  const plain = {
    freshness: [],
    automation: undefined,
    retry: undefined,
    pool: 'default',
    checks: [],
    issues: definition.issues,
  };
  const { space } = definition;
  const source: AssetDefinition['source'] = {
    // One that lists nothing is taken for broken.
    wanted: () => parts.size > 0,
    auditEveryMs: LONG_MS,
    auditOf: undefined,
    observe: async function* (): AsyncGenerator<Observation> {
      for (const [key, { ref }] of parts) {
        const time = space.time ? { [space.time.name]: formatIndex(space.time.grain, ref.time) } : {};
        yield { partition: { ...ref.values, ...time }, version: key };
      }
    },
    read: async ({ partition }) => ({
      bytes: contentAt(parts, partition.key).bytes ?? new Uint8Array(),
      version: partition.key,
    }),
    publicationLagMs: 0,
    liveForMs: LONG_MS,
  };
  if (definition.kind === 'source') return { ...definition, ...plain, source };
  const given: AssetDefinition = {
    ...definition,
    ...plain,
    key: `given/${definition.key.replaceAll('/', '_')}`,
    kind: 'source',
    inputs: [],
    columns: [],
    sortBy: [],
    timeColumn: undefined,
    rowwise: false,
    storage: { type: 'raw', format: { type: 'bytes', extension: '', columns: [] } },
    compute: undefined,
    source,
  };
  const time = space.time ? ({ rule: 'same' } as const) : ({ rule: 'all' } as const);
  const table = definition.storage.type === 'table';
  return {
    ...definition,
    ...plain,
    inputs: [{ name: 'given', need: 'required', alternatives: [{ asset: given, mapping: { time, listed: {} } }] }],
    rowwise: false,
    codeVersion: 'given',
    compute: table
      ? { type: 'rows', fn: ({ partition }) => contentAt(parts, partition.key).rows ?? [] }
      : { type: 'bytes', fn: ({ partition }) => contentAt(parts, partition.key).bytes ?? new Uint8Array() },
  };
}

function contentAt(parts: ReadonlyMap<string, Content>, key: string): Content {
  const content = parts.get(key);
  if (!content) throw new Error(`Nothing was given for ${key}`);
  return content;
}
