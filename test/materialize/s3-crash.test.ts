import { randomInt } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { type Options, place } from '../cli/support.ts';
import { query } from '../real/query.ts';
import { describeS3, type PassedRequest, type S3Server, s3Proxy } from '../support/s3.ts';
import { onS3, stored } from './bucket.ts';
import { Archive, ticksOf, tinyLake } from './fixture.ts';
import { openTestLake, run } from './lake.ts';
import { type Child, startChild } from './processes.ts';
import { atEnd, packs, temporaryDirectory, tiny, versions } from './support.ts';

/** Processes killed at any request at all, besides those of the list; hundreds with S3_CRASH_ROUNDS=300. */
const ROUNDS = Number(process.env.S3_CRASH_ROUNDS ?? 0);

interface KillPoint {
  readonly name: string;
  readonly at: (request: PassedRequest) => boolean;
  /** The server got nothing, what was on the line, or all. */
  readonly when: 'before' | 'midway' | 'after';
}

const put = (key: string) => (request: PassedRequest) =>
  request.method === 'PUT' && !request.url.includes('uploadId') && request.url.includes(`/${key}`);
const part = ({ url }: PassedRequest) => url.includes('partNumber=1');
const completion = ({ method, url }: PassedRequest) => method === 'POST' && url.includes('uploadId');
const begins = ({ method, url }: PassedRequest) => method === 'POST' && /\?uploads/.test(url);

/** In the order of the work: each goes on where the one before was killed. */
const POINTS: readonly KillPoint[] = [
  { name: 'the id of the lake', at: put('.lakehouse/lake.json'), when: 'after' },
  { name: 'the first original', at: put('bronze/'), when: 'before' },
  { name: 'an original', at: put('bronze/'), when: 'after' },
  { name: 'an upload that begins', at: begins, when: 'after' },
  { name: 'a part', at: part, when: 'midway' },
  { name: 'a part that is there', at: part, when: 'after' },
  { name: 'the end of an upload', at: completion, when: 'before' },
  { name: 'the end of an upload that was done', at: completion, when: 'after' },
  { name: 'a table', at: put('silver/'), when: 'after' },
  { name: 'a table downstream', at: put('gold/'), when: 'after' },
];

/** A day whose zip is above the least size of an upload in parts: digits that nobody can compress. */
function large(date: string): string {
  const digits = () => Array.from({ length: 140 }, () => String(randomInt(1e12, 1e13))).join('');
  return ticksOf(date, 7000)
    .trimEnd()
    .split('\n')
    .map((line, i) => `${line.replace(/ 00:\d+:00/, ` ${clock(i)}`)}${digits()}`)
    .join('\n');
}
const clock = (second: number) => new Date(second * 1000).toISOString().slice(11, 19);

describeS3('a lake on S3', (server) => {
  const here = async (prefix: string, more: readonly string[] = []) => {
    const root = await temporaryDirectory();
    const directory = join(root, 'lake');
    const archive = new Archive(join(root, 'archive'));
    const sets = (...those: string[]) => [
      ...onS3(server(), prefix, 's3.multipart.thresholdMb=5', 's3.multipart.partMb=5', 's3.graceMinutes=0'),
      `tiny.directory=${archive.directory}`,
      'workflow.retryAttempts=0',
      'engine.threads=2',
      ...more,
      ...those,
    ];
    const open = async () => {
      const lake = await openTestLake(tinyLake(), directory, { sets: sets() });
      atEnd(() => lake.close());
      return lake;
    };
    let said = '';
    const terminal = await place((remove) => onTestFinished(remove));
    /** The command line, which other processes and a later time look like in. */
    const lakehouse = async (
      [command = '', ...args]: string[],
      those: readonly string[] = [],
      io: Options['io'] = {},
    ) => {
      const given = [`dataDir=${directory}`, ...sets(...those)].flatMap((one) => ['--set', one]);
      const all = { host: hostname(), now: () => Date.now() + 7_200_000, isAlive, ...io };
      const answer = await terminal.run([command, ...args, ...given], { definition: tinyLake(), io: all });
      said += answer.out + answer.err;
      return answer;
    };
    /** What nobody may find a key in: all that was said, and what is kept. */
    const shown = async (children: readonly Child[] = []) => {
      const names = (await readdir(join(directory, '.lakehouse'))).filter((name) => name.startsWith('state.sqlite'));
      const log = names.map((name) => readFile(join(directory, '.lakehouse', name), 'latin1'));
      return [said, JSON.stringify(children.map(({ lines }) => lines)), ...(await Promise.all(log))].join('\n');
    };
    return { root, directory, archive, sets, open, lakehouse, shown };
  };

  test(
    'killed at any request: nothing unfinished is seen, the next run completes, and gc takes what was left',
    async () => {
      const { directory, archive, sets, open, lakehouse, shown } = await here('crash');
      archive.days('A', '2020-02', 1, 2).days('B', '2020-02', 1, 3).put('A', '2020-02-03', large('2020-02-03'));
      const children: Child[] = [];
      const killAt = async ({ at, when }: Omit<KillPoint, 'name'>) => {
        let killed = false;
        await using proxy = await s3Proxy(server().endpoint, (request, response) => {
          if (killed) return response.destroy() !== undefined;
          if (!at(request)) return false;
          const kill = () => child.process.kill('SIGKILL');
          if (when === 'after') return kill;
          killed = kill();
          return when === 'before' && response.destroy() !== undefined;
        });
        const child = startChild({ directory, sets: sets(`s3.endpoint=${proxy.endpoint}`) });
        children.push(child);
        await child.ended;
        return { child, begun: proxy.requests.filter(begins).map(({ url }) => pathOf(url, 'crash')) };
      };

      const begun = new Set<string>();
      for (const { name, ...point } of POINTS) {
        const killed = await killAt(point);
        expect([name, killed.child.process.signalCode]).toEqual([name, 'SIGKILL']);
        for (const key of killed.begun) begun.add(key);
        expect([name, await broken(await open())]).toEqual([name, []]);
      }
      const lake = await open();
      expect((await run(lake)).outcome).toBe('succeeded');
      for (let round = 0; round < ROUNDS; round++) {
        archive.put('B', '2020-02-02', ticksOf('2020-02-02', 5, round));
        let left = randomInt(60);
        const when = (['before', 'midway', 'after'] as const)[round % 3] ?? 'after';
        for (const key of (await killAt({ at: () => left-- === 0, when })).begun) begun.add(key);
        expect([round, await broken(await open())]).toEqual([round, []]);
        if (round % 5 === 4) expect((await run(await open())).outcome).toBe('succeeded');
      }
      lake.state.refresh();
      expect((await run(lake)).outcome).toBe('succeeded');
      const unharmed = await tiny({ archive: archive.directory, directory: `${directory}-unharmed`, now: Date.now });
      await run(unharmed.lake);
      expect(versions(lake)).toEqual(versions(unharmed.lake));
      expect(packs(lake)).toEqual(packs(unharmed.lake));

      // What the dead have left: listed, and removed when told.
      const uploads = async () => {
        const left: string[] = [];
        for (const key of begun) {
          const found = await server().client.listMultipartUploads({ Bucket: server().bucket, Prefix: `crash/${key}` });
          left.push(...(found.Uploads ?? []).map(() => key));
        }
        return left;
      };
      const names = (path: string) => readdir(join(directory, '.lakehouse', path)).catch(() => []);
      const stages = async () => [...(await names('staging')), ...(await names('cache/leases'))];
      const everything = async () => ({
        objects: [...(await stored(server(), 'crash'))],
        uploads: await uploads(),
        stages: await stages(),
      });
      const before = await everything();
      const known = new Set([...lake.state.files()].map(({ path }) => path));
      const orphans = before.objects.map(([key]) => key).filter((key) => isData(key) && !known.has(key));
      expect(orphans.length).toBeGreaterThanOrEqual(4);
      expect(before.uploads.length).toBeGreaterThanOrEqual(3);
      expect(before.stages.length).toBeGreaterThanOrEqual(POINTS.length - 1);
      const dry = JSON.parse((await lakehouse(['gc', '--json'])).out) as { files: { path: string }[] };
      expect(dry.files.map(({ path }) => path).sort()).toEqual(orphans.sort());
      expect(await everything()).toEqual(before);
      const done = JSON.parse((await lakehouse(['gc', '--yes', '--json'])).out);
      expect(done).toMatchObject({ removed: true, unknown: orphans.length, stages: before.stages.length });
      expect(await everything()).toEqual({
        objects: before.objects.filter(([key]) => !orphans.includes(key)),
        uploads: [],
        stages: [],
      });
      expect(await lakehouse(['verify', '--deep'])).toMatchObject({ code: 0, out: expect.stringContaining('Sound') });
      expectNoKeys(server(), await shown(children));
    },
    180_000 + ROUNDS * 10_000,
  );

  test('damaged in the bucket: found and named, never computed with, and put right by what verify says', async () => {
    const { directory, archive, open, lakehouse, shown } = await here('damaged');
    archive.days('A', '2020-02', 1, 3).days('B', '2020-02', 1, 3);
    const lake = await open();
    await run(lake);
    const whole = packs(lake);
    const file = (asset: string) => [...lake.state.files(asset)].map(({ path }) => path).sort()[0] ?? '';
    const [flipped, gone, short] = [file('silver/ticks'), file('gold/window'), file('bronze/days')];
    const { client, bucket } = server();
    const change = async (key: string, to: (bytes: Uint8Array) => Uint8Array) => {
      const place = { Bucket: bucket, Key: `damaged/${key}` };
      const { Body } = await client.getObject(place);
      await client.putObject({ ...place, Body: to((await Body?.transformToByteArray()) ?? new Uint8Array()) });
    };
    await change(flipped, (bytes) => bytes.map((byte, i) => (i === 200 ? byte ^ 1 : byte)));
    await change(short, (bytes) => bytes.subarray(0, -1));
    await client.deleteObject({ Bucket: bucket, Key: `damaged/${gone}` });

    // The cache has them all as they were.
    const found = await lakehouse(['verify', '--deep', '--json']);
    const { problems, repair } = JSON.parse(found.out) as {
      problems: { file: string; message: string }[];
      repair: { asset: string; partitions: string }[];
    };
    expect(found.code).toBe(1);
    expect(problems.map(({ file: path, message }) => [path, message.replace(/[0-9a-f]{64}/g, '#')]).sort()).toEqual(
      [
        [flipped, 'has SHA-256 #, the log says #'],
        [gone, 'is missing'],
        [short, expect.stringMatching(/^has \d+ bytes, the log says \d+$/)],
      ].sort(),
    );
    expect((await lakehouse(['verify', '--deep'])).out).toMatch(
      /wipe silver\/ticks --partitions .*\n.*materialize silver/,
    );

    const cold = (name: string) => [`s3.cache.directory=${join(directory, name)}`];
    const asked = await lakehouse(['query', 'SELECT count(*) FROM silver.ticks'], cold('cold-1'));
    expect(asked).toMatchObject({ code: 1, out: '' });
    expect(asked.err).toMatch(
      new RegExp(`'${flipped}'.* does not have the content that the log knows[^]*verify --deep`),
    );
    const missing = await lakehouse(['query', 'SELECT count(*) FROM gold."window"'], cold('cold-2'));
    expect(missing).toMatchObject({ out: '', err: expect.stringContaining(`no object '${gone}'`) });
    expect(missing.err).toContain('lakehouse verify');

    const computed = await lakehouse(['materialize', 'gold/overview', '--force', '--json'], cold('cold-3'));
    expect(computed.code).toBe(1);
    expect(computed.out + computed.err).toContain(flipped);
    expect(computed.out + computed.err).toContain('object-corrupt');
    expect(packs(await open())).toEqual(whole);

    for (const { asset, partitions } of repair) {
      const which = partitions === '*' ? [] : ['--partitions', partitions];
      expect(await lakehouse(['wipe', asset, ...which, '--yes'])).toMatchObject({ code: 0 });
      expect(await lakehouse(['materialize', asset, ...which])).toMatchObject({ code: 0 });
    }
    expect(await lakehouse(['materialize'])).toMatchObject({ code: 0 });
    expect(await lakehouse(['verify', '--deep'])).toMatchObject({ code: 0, out: expect.stringContaining('Sound') });
    const again = await open();
    expect(packs(again)).toEqual(whole);
    expect(await query(again, 'SELECT count(*) FROM silver.ticks')).toEqual([[36n]]);
    expectNoKeys(server(), await shown());
  });

  /** Files of the log that are not whole in the bucket. */
  async function broken(lake: OpenedLake): Promise<string[]> {
    const there = await stored(server(), 'crash');
    const wrong = [...lake.state.files()].filter(({ path, sha256 }) => there.get(path) !== sha256);
    await lake.close();
    return wrong.map(({ path }) => path);
  }
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Of an asset, not of the lake: its id and its catalogue. */
const isData = (key: string): boolean => !key.startsWith('.lakehouse/') && !key.includes('_catalog');

/** The key of a request, without the prefix. */
const pathOf = (url: string, prefix: string): string =>
  decodeURIComponent(new URL(url, 'http://x').pathname).split(`/${prefix}/`)[1] ?? '';

function expectNoKeys({ accessKeyId, secretAccessKey }: S3Server, shown: string): void {
  for (const secret of [accessKeyId, secretAccessKey, 'Signature=', 'X-Amz-Credential', 'AWS4-HMAC'])
    expect(shown.includes(secret), secret).toBe(false);
}
