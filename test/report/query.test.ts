import { describe, expect, test } from 'vitest';
import type { Engine, LakeView, QueryResult } from '../../framework/engine/port.ts';
import { queryAnew } from '../../framework/report/query.ts';

/** An engine for which only some files are still there; it says which files it was asked for, and how often a result was closed. */
function engine(present: () => readonly string[]) {
  const asked: string[][] = [];
  let closed = 0;
  const query = async (_: string, views: readonly LakeView[]): Promise<QueryResult> => {
    const files = views.flatMap((view) => ('files' in view ? [...view.files] : []));
    asked.push(files);
    if (files.some((file) => !present().includes(file))) throw new Error(`gone: ${files}`);
    return { columns: [], batches: (async function* () {})(), close: async () => void closed++ };
  };
  return { engine: { query } as unknown as Engine, asked, closed: () => closed };
}
const view = (...files: readonly string[]): LakeView[] => [{ definition: {} as never, files }];
const go = new AbortController().signal;

describe('a query of files that are replaced meanwhile', () => {
  test('is asked again of the new ones', async () => {
    const { engine: port, asked, closed } = engine(() => ['b']);
    const versions = [view('a'), view('b')];
    const found = await queryAnew(
      port,
      async () => versions.shift() ?? [],
      'SELECT',
      go,
      async () => 'rows',
    );
    expect([found, asked, closed()]).toEqual(['rows', [['a'], ['b']], 1]);
  });

  test('is asked again when they go while its rows are read', async () => {
    const { engine: port, asked, closed } = engine(() => ['a', 'b']);
    const versions = [view('a'), view('b')];
    const use = async () => {
      if (asked.length === 1) throw new Error('gone: a');
      return 'rows';
    };
    expect(await queryAnew(port, async () => versions.shift() ?? [], 'SELECT', go, use)).toBe('rows');
    expect([asked, closed()]).toEqual([[['a'], ['b']], 2]);
  });

  test('fails where the files are the same as before', async () => {
    const { engine: port, asked } = engine(() => []);
    await expect(
      queryAnew(
        port,
        async () => view('a'),
        'SELECT',
        go,
        async () => 1,
      ),
    ).rejects.toThrow('gone: a');
    expect(asked).toHaveLength(1);
  });

  test('fails at last where they are others each time', async () => {
    const { engine: port, asked } = engine(() => []);
    let n = 0;
    await expect(
      queryAnew(
        port,
        async () => view(`f${n++}`),
        'SELECT',
        go,
        async () => 1,
      ),
    ).rejects.toThrow('gone: f4');
    expect(asked).toHaveLength(5);
  });

  test('is not asked again once its rows cannot be taken back, or when it was stopped', async () => {
    const { engine: port, asked } = engine(() => ['f0', 'f1', 'f2', 'f3']);
    let n = 0;
    const views = async () => view(`f${n++}`);
    const fails = async () => {
      throw new Error('half');
    };
    await expect(queryAnew(port, views, 'SELECT', go, fails, () => true)).rejects.toThrow('half');
    const stop = new AbortController();
    const stopped = async () => {
      stop.abort();
      throw new Error('stopped');
    };
    await expect(queryAnew(port, views, 'SELECT', stop.signal, stopped)).rejects.toThrow('stopped');
    expect(asked).toEqual([['f0'], ['f1']]);
  });
});
