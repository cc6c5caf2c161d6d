import { describe, expect, test } from 'vitest';
import type { LakeView, QueryResult } from '../../framework/engine/port.ts';
import type { LakeFiles } from '../../framework/materialize/lake-files.ts';
import { type Queried, queryAnew } from '../../framework/report/query.ts';

/** A lake of whose files only some are still there; it says which files were asked for, how often a result was closed, and how many readings are open. */
function lakeOf(present: () => readonly string[]) {
  const asked: string[][] = [];
  let closed = 0;
  const query = async (_: string, views: readonly LakeView[]): Promise<QueryResult> => {
    const files = views.flatMap((view) => ('files' in view ? [...view.files] : []));
    asked.push(files);
    if (files.some((file) => !present().includes(file))) throw new Error(`gone: ${files}`);
    return {
      columns: [],
      batches: (async function* () {})(),
      arrow: async function* () {},
      close: async () => void closed++,
    };
  };
  let open = 0;
  const reading = () => {
    open++;
    return { path: async ({ key }: { key: string }) => key, close: async () => void open-- };
  };
  const lake = {
    engine: async () => ({ query }),
    store: { kind: 'local', reading },
    state: { file: () => undefined },
  } as unknown as Queried;
  return { lake, asked, closed: () => closed, open: () => open };
}
const view =
  (name: string) =>
  async (files: LakeFiles): Promise<LakeView[]> => [{ definition: {} as never, files: [await files.table(name)] }];
const go = new AbortController().signal;

describe('a query of files that are replaced meanwhile', () => {
  test('is asked again of the new ones', async () => {
    const { lake, asked, closed, open } = lakeOf(() => ['b']);
    const versions = ['a', 'b'];
    const found = await queryAnew(
      lake,
      (files) => view(versions.shift() ?? '')(files),
      'SELECT',
      go,
      async () => 'rows',
    );
    expect([found, asked, closed(), open()]).toEqual(['rows', [['a'], ['b']], 1, 0]);
  });

  test('is asked again when they go while its rows are read', async () => {
    const { lake, asked, closed, open } = lakeOf(() => ['a', 'b']);
    const versions = ['a', 'b'];
    const use = async () => {
      if (asked.length === 1) throw new Error('gone: a');
      return 'rows';
    };
    expect(await queryAnew(lake, (files) => view(versions.shift() ?? '')(files), 'SELECT', go, use)).toBe('rows');
    expect([asked, closed(), open()]).toEqual([[['a'], ['b']], 2, 0]);
  });

  test('fails where the files are the same as before', async () => {
    const { lake, asked } = lakeOf(() => []);
    await expect(queryAnew(lake, view('a'), 'SELECT', go, async () => 1)).rejects.toThrow('gone: a');
    expect(asked).toHaveLength(1);
  });

  test('fails at last where they are others each time', async () => {
    const { lake, asked } = lakeOf(() => []);
    let n = 0;
    await expect(
      queryAnew(
        lake,
        (files) => view(`f${n++}`)(files),
        'SELECT',
        go,
        async () => 1,
      ),
    ).rejects.toThrow('gone: f4');
    expect(asked).toHaveLength(5);
  });

  test('is not asked again once its rows cannot be taken back, or when it was stopped', async () => {
    const { lake, asked } = lakeOf(() => ['f0', 'f1', 'f2', 'f3']);
    let n = 0;
    const views = (files: LakeFiles) => view(`f${n++}`)(files);
    const fails = async () => {
      throw new Error('half');
    };
    await expect(queryAnew(lake, views, 'SELECT', go, fails, () => true)).rejects.toThrow('half');
    const stop = new AbortController();
    const stopped = async () => {
      stop.abort();
      throw new Error('stopped');
    };
    await expect(queryAnew(lake, views, 'SELECT', stop.signal, stopped)).rejects.toThrow('stopped');
    expect(asked).toEqual([['f0'], ['f1']]);
  });
});
