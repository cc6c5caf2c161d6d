import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type { SerializedError } from '../../common/errors.ts';
import { sqlText } from '../../define/sql.ts';
import { relationColumns } from '../../engine/partitions.ts';
import type { AssetGraph, AssetNode } from '../../graph/graph.ts';
import type { RunEvent } from '../../materialize/events.ts';
import { assetColumns } from '../../report/columns.ts';
import type { ObjectStore } from '../../storage/store.ts';

/** An OpenLineage RunEvent, as plain data. */
export interface LineageEvent {
  readonly eventType: 'START' | 'COMPLETE' | 'FAIL' | 'ABORT';
  readonly eventTime: string;
  readonly run: { readonly runId: string; readonly facets?: Facets };
  readonly job: { readonly namespace: string; readonly name: string; readonly facets?: Facets };
  readonly inputs?: readonly LineageDataset[];
  readonly outputs?: readonly (LineageDataset & { readonly outputFacets?: Facets })[];
  readonly producer: string;
  readonly schemaURL: string;
}

export interface LineageDataset {
  readonly namespace: string;
  readonly name: string;
  readonly facets: Facets;
}

type Facets = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const SPEC = 'https://openlineage.io/spec';
const facetUrl = (version: string, name: string) => `${SPEC}/facets/${version}/${name}.json#/$defs/${name}`;
const SCHEMA_URL = `${SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent`;

/** Longer queries and messages are cut off. */
const LONGEST_TEXT = 20_000;

export interface LineageOptions {
  readonly graph: AssetGraph;
  readonly namespace: string;
  /** Name of the job that the run is one of, e.g. `schedule nightly`. */
  readonly job: string;
  /** Where the objects are. */
  readonly store: Pick<ObjectStore, 'kind' | 'root'>;
  readonly version: string;
  /** ms UTC. */
  readonly now: () => number;
  readonly redact: (text: string) => string;
}

/** What happened to an asset in a run, so far. */
interface Going {
  rows: number;
  bytes: number;
  failed: number;
  error: SerializedError | undefined;
}

/** What happens in one run as OpenLineage events: the run, and in it each asset that is computed. */
export function createLineage(options: LineageOptions): (event: RunEvent) => LineageEvent[] {
  const { graph, namespace, version, now, redact, store } = options;
  const producer = `urn:crypto-lakehouse:${version}`;
  const facet = (name: string, of: string, fields: Readonly<Record<string, unknown>>) => ({
    _producer: producer,
    _schemaURL: facetUrl(of, name),
    ...fields,
  });
  const text = (whole: string) => redact(whole).slice(0, LONGEST_TEXT);
  const going = new Map<string, Going>();
  let run: string | undefined;

  const jobType = (type: string) =>
    facet('JobTypeJobFacet', '2-0-4', { processingType: 'BATCH', integration: 'CRYPTO_LAKEHOUSE', jobType: type });
  const errorMessage = (message: string) =>
    facet('ErrorMessageRunFacet', '1-0-1', { message: text(message), programmingLanguage: 'TypeScript' });
  const event = (
    eventType: LineageEvent['eventType'],
    runId: string,
    runFacets: Facets,
    job: LineageEvent['job'],
    more: Pick<LineageEvent, 'inputs' | 'outputs'> = {},
  ): LineageEvent => ({
    eventType,
    eventTime: new Date(now()).toISOString(),
    run: { runId, facets: runFacets },
    job,
    ...more,
    producer,
    schemaURL: SCHEMA_URL,
  });

  const dataset = (node: AssetNode): LineageDataset => {
    const { key, definition } = node;
    const known = new Map(definition.columns.map((column) => [column.name, column.description]));
    const fields = relationColumns(definition).map(({ name, type }, i) => {
      const description = known.get(name);
      return { name, type, ordinal_position: i + 1, ...(description !== undefined && { description }) };
    });
    const uri =
      definition.kind === 'source' ? {} : { uri: store.kind === 'local' ? pathToFileURL(store.root).href : store.root };
    return {
      namespace,
      name: key,
      facets: {
        schema: facet('SchemaDatasetFacet', '1-2-0', { fields }),
        dataSource: facet('DatasourceDatasetFacet', '1-0-1', { name: namespace, ...uri }),
        ...(definition.description !== undefined && {
          documentation: facet('DocumentationDatasetFacet', '1-1-0', { description: definition.description }),
        }),
      },
    };
  };
  const inputsOf = (node: AssetNode): LineageDataset[] =>
    [...new Set(node.definition.inputs.flatMap(({ alternatives }) => alternatives.map(({ asset }) => asset?.key)))]
      // An asset that reads itself is no input of its own: it is what it was before the run.
      .flatMap((key) => (key === undefined ? [] : [dataset(graph.node(key))]));
  const columnLineage = (node: AssetNode): Facets => {
    const fields = [...assetColumns(node).columns].flatMap(([column, from]) =>
      from === undefined
        ? []
        : [[column, { inputFields: from.map(({ asset, column: field }) => ({ namespace, name: asset, field })) }]],
    );
    return fields.length === 0
      ? {}
      : { columnLineage: facet('ColumnLineageDatasetFacet', '1-2-0', { fields: Object.fromEntries(fields) }) };
  };

  const runJob = (): LineageEvent['job'] => ({ namespace, name: options.job, facets: { jobType: jobType('RUN') } });
  const ofAsset = (asset: string, eventType: LineageEvent['eventType'], facets: Facets = {}): LineageEvent => {
    const node = graph.node(asset);
    const { compute, description } = node.definition;
    const output = dataset(node);
    const { rows, bytes } = going.get(asset) ?? { rows: 0, bytes: 0 };
    const parent = { run: { runId: uuidOf(`${run}`) }, job: { namespace, name: options.job } };
    return event(
      eventType,
      uuidOf(`${run} ${asset}`),
      { parent: facet('ParentRunFacet', '1-2-0', parent), ...facets },
      {
        namespace,
        name: asset,
        facets: {
          jobType: jobType('ASSET'),
          ...(description !== undefined && {
            documentation: facet('DocumentationJobFacet', '1-1-0', { description }),
          }),
          ...(compute?.type === 'sql' && {
            sql: facet('SQLJobFacet', '1-1-0', { query: text(sqlText(compute.template)), dialect: 'duckdb' }),
          }),
        },
      },
      {
        inputs: inputsOf(node),
        outputs: [
          {
            ...output,
            facets: { ...output.facets, ...columnLineage(node) },
            ...(eventType !== 'START' && {
              outputFacets: {
                outputStatistics: facet('OutputStatisticsOutputDatasetFacet', '1-0-2', { rowCount: rows, size: bytes }),
              },
            }),
          },
        ],
      },
    );
  };
  const begin = (asset: string): LineageEvent[] => {
    if (going.has(asset)) return [];
    going.set(asset, { rows: 0, bytes: 0, failed: 0, error: undefined });
    return [ofAsset(asset, 'START')];
  };
  const finish = (asset: string, otherwise: LineageEvent['eventType']): LineageEvent[] => {
    const { failed, error } = going.get(asset) ?? { failed: 0, error: undefined };
    const ended =
      failed > 0
        ? ofAsset(asset, 'FAIL', {
            errorMessage: errorMessage(
              `${error?.message ?? ''}${failed > 1 ? ` (the first of ${failed} partitions that failed)` : ''}`,
            ),
          })
        : ofAsset(asset, otherwise);
    going.delete(asset);
    return [ended];
  };

  return (happened) => {
    switch (happened.type) {
      case 'run-started':
        run = happened.run;
        going.clear();
        return [event('START', uuidOf(run), {}, runJob())];
      case 'asset-started':
        return run === undefined ? [] : begin(happened.asset);
      case 'partition-failed': {
        // All of an asset may fail before it begins.
        const begun = run === undefined ? [] : begin(happened.asset);
        const asset = going.get(happened.asset);
        if (asset) {
          asset.failed++;
          asset.error ??= happened.error;
        }
        return begun;
      }
      case 'batch-finished': {
        const asset = going.get(happened.asset);
        if (asset) {
          asset.rows += happened.rows;
          asset.bytes += happened.bytes;
        }
        return [];
      }
      case 'asset-finished':
        return going.has(happened.asset) ? finish(happened.asset, 'COMPLETE') : [];
      case 'run-finished': {
        if (run === undefined) return [];
        const { outcome, counts } = happened;
        const type = outcome === 'succeeded' ? 'COMPLETE' : outcome === 'failed' ? 'FAIL' : 'ABORT';
        // What is still going on was cut off.
        const cut = [...going.keys()].flatMap((asset) => finish(asset, outcome === 'failed' ? 'FAIL' : 'ABORT'));
        const facets =
          type === 'FAIL'
            ? {
                errorMessage: errorMessage(`${counts.failed} partitions failed, ${counts.checksFailed} failed a check`),
              }
            : {};
        const runId = uuidOf(run);
        run = undefined;
        return [...cut, event(type, runId, facets, runJob())];
      }
      default:
        return [];
    }
  };
}

/** A UUID (version 8: made by a rule of one's own) that is always the same for the same name. */
export function uuidOf(name: string): string {
  const bytes = createHash('sha256').update(`crypto-lakehouse ${name}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
