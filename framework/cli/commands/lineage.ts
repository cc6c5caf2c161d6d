import type { AssetGraph } from '../../graph/graph.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import { selectAssets } from '../../sdk/select.ts';
import { kindOf } from '../../sdk/status.ts';
import { withUpstream } from '../again.ts';
import { jsonText } from '../console.ts';
import type { Context } from '../context.ts';
import type { Style } from '../style.ts';

export interface LineageOptions {
  readonly format: 'tree' | 'mermaid' | 'dot' | 'json';
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly input: string;
  /** What of it is read, in words. */
  readonly reads: string;
  readonly need: 'required' | 'ifPresent';
}
interface Lineage {
  readonly nodes: readonly {
    readonly key: string;
    readonly kind: string;
    readonly group: string;
    readonly description: string | undefined;
  }[];
  readonly edges: readonly Edge[];
}

export async function run(
  context: Context,
  { format }: LineageOptions,
  selection?: string,
): Promise<number | undefined> {
  const { console, globals } = context;
  return context.withLake('read', async (lake) => {
    const lineage = lineageOf(lake, selection);
    const drawn = globals.json ? 'json' : format;
    if (drawn === 'json') console.print(jsonText(lineage, 2));
    else console.print(draw[drawn](lineage, console.style));
    return undefined;
  });
}

function lineageOf({ graph }: OpenedLake, selection: string | undefined): Lineage {
  const keys = new Set(keysOf(graph, selection));
  const list = graph.order.filter((key) => keys.has(key));
  const edges = list.flatMap((to) =>
    graph
      .node(to)
      .inputs.flatMap(({ name, need, alternatives }) =>
        alternatives
          .filter(({ asset }) => keys.has(asset))
          .map(({ asset, mapping }): Edge => ({ from: asset, to, input: name, reads: mapping.description, need })),
      ),
  );
  const nodes = list.map((key) => {
    const { definition } = graph.node(key);
    return { key, kind: kindOf(definition), group: definition.group, description: definition.description };
  });
  return { nodes, edges };
}

/** A name alone means all that it is made of. */
function keysOf(graph: AssetGraph, selection: string | undefined): readonly string[] {
  const keys = selectAssets(graph, selection);
  return selection === undefined || selection.includes('+') ? keys : graph.select(withUpstream(selection)).keys;
}

const draw: Readonly<Record<'tree' | 'mermaid' | 'dot', (lineage: Lineage, style: Style) => string>> = {
  /** What is made of others at the top, what it reads below it. */
  tree: ({ nodes, edges }, style) => {
    const lines: string[] = [];
    const shown = new Set<string>();
    const inputsOf = (key: string) => edges.filter(({ from, to }) => to === key && from !== key);
    const visit = (key: string, lead: string, branch: string, note: string) => {
      const inputs = inputsOf(key);
      const again = shown.has(key) && inputs.length > 0;
      shown.add(key);
      const self = edges.find(({ from, to }) => from === key && to === key);
      const notes = [note, self?.reads, again && 'see above'].filter(Boolean).join('; ');
      lines.push(`${style.faint(lead + branch)}${style.strong(key)}${notes === '' ? '' : style.faint(`  (${notes})`)}`);
      if (again) return;
      const below = branch === '' ? '' : lead + (branch.startsWith('└') ? '   ' : '│  ');
      inputs.forEach(({ from, reads, need }, i) => {
        visit(
          from,
          below,
          i === inputs.length - 1 ? '└─ ' : '├─ ',
          [reads, need === 'ifPresent' && 'if present'].filter(Boolean).join(', '),
        );
      });
    };
    const sinks = nodes.filter(({ key }) => !edges.some(({ from, to }) => from === key && to !== key));
    for (const { key } of sinks) visit(key, '', '', '');
    return lines.join('\n');
  },
  mermaid: ({ nodes, edges }) => {
    const ids = new Map(nodes.map(({ key }, i) => [key, `n${i}`]));
    const shape = (kind: string, key: string) =>
      kind === 'source' ? `[/"${key}"/]` : kind === 'raw' ? `[("${key}")]` : `["${key}"]`;
    return [
      'flowchart LR',
      ...nodes.map(({ key, kind }) => `  ${ids.get(key)}${shape(kind, key)}`),
      ...edges.map(
        ({ from, to, reads }) => `  ${ids.get(from)} -->|"${reads.replaceAll('"', '#quot;')}"| ${ids.get(to)}`,
      ),
    ].join('\n');
  },
  dot: ({ nodes, edges }) => {
    const text = (value: string) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
    return [
      'digraph lineage {',
      '  rankdir=LR;',
      '  node [shape=box];',
      ...nodes.map(
        ({ key, kind }) =>
          `  ${text(key)}${kind === 'source' ? ' [shape=parallelogram]' : kind === 'raw' ? ' [shape=cylinder]' : ''};`,
      ),
      ...edges.map(
        ({ from, to, reads, need }) =>
          `  ${text(from)} -> ${text(to)} [label=${text(reads)}${need === 'ifPresent' ? ', style=dashed' : ''}];`,
      ),
      '}',
    ].join('\n');
  },
};
