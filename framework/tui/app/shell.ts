import { partitionCondition, viewName } from '../../engine/partitions.ts';
import { parseKey } from '../../partition/space.ts';
import { defaultAxes } from '../model/heat-axes.ts';
import { filterOf, fitted, startHeat } from '../model/heatmap.ts';
import { matchingChecks } from '../model/matching.ts';
import type { UiState, WorkRequest } from '../model/state.ts';
import { heatShape } from '../read/heatmap.ts';
import type { Session } from './session.ts';

/** A word as a shell reads it back. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** What is selected is the same however much of the map is seen. */
const NO_WINDOW = { rows: 1, columns: 1 };

/** The partitions that are selected on the heat map, as `--partitions` takes them. */
export function selectedPartitions({ asset, heat }: UiState, session: Pick<Session, 'heat'>): string | undefined {
  const index = asset === undefined ? undefined : session.heat(asset);
  if (asset === undefined || !index) return undefined;
  const axes = defaultAxes(index.dimensions);
  const kept = heat.get(asset) ?? startHeat(axes, heatShape(index, axes), NO_WINDOW);
  const shape = heatShape(index, kept);
  return filterOf(fitted(kept, shape, NO_WINDOW), shape);
}

/** The shell command that tells what is on the screen. */
export function shellCommand(state: UiState, session: Pick<Session, 'graph' | 'heat'>, program: string): string {
  const line = (...words: readonly string[]) => [program, ...words.map(quoted)].join(' ');
  const { asset, detail, runs, lineage, data } = state;
  const check = matchingChecks(state)?.[state.checks.cursor];
  if (state.explain && detail) return line('explain', detail.asset, detail.partition);
  switch (state.screen) {
    case 'assets':
      return line('status');
    case 'lineage':
      return line('lineage', ...(lineage.selection === '' ? [] : [`+(${lineage.selection})`]));
    case 'partitions': {
      const partitions = selectedPartitions(state, session);
      return line(
        'status',
        ...(asset === undefined ? [] : [asset]),
        ...(partitions === undefined ? [] : ['-p', partitions]),
      );
    }
    case 'runs':
      return runs.open === undefined ? line('runs') : line('runs', 'show', runs.open);
    case 'checks':
      return check === undefined ? line('check') : line('check', check.asset, '--only', check.check);
    case 'schedules':
      return line('schedules');
    case 'data': {
      if (data.tab === 'sql' && data.sql.line.text !== '') return line('query', data.sql.line.text);
      if (asset === undefined) return line('assets');
      const { definition } = session.graph.node(asset);
      if (definition.kind === 'source') return line('show', definition.key);
      const ref = data.partition === undefined ? undefined : parseKey({ ...definition.space }, data.partition);
      const where = ref === undefined ? '' : ` WHERE ${partitionCondition(definition.space, ref.values, ref.time)}`;
      return line('query', `SELECT * FROM ${viewName(definition)}${where} LIMIT 100`);
    }
  }
}

/** The shell command that does what a request asks for. */
export function workCommand({ selection, partitions, force, retryFailed }: WorkRequest, program: string): string {
  const options = [
    ...(partitions === undefined ? [] : ['-p', partitions]),
    ...(force ? ['--force'] : []),
    ...(retryFailed ? ['--retry-failed'] : []),
  ];
  return [program, 'materialize', ...[selection, ...options].map(quoted)].join(' ');
}
