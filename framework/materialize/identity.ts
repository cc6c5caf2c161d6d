import { isLakehouseError, LakehouseError } from '../common/errors.ts';
import type { StateWriter } from '../state/store.ts';
import type { ObjectStore } from '../storage/store.ts';

/** Where the data say which lake they are: an object, so that it is whole, and written once by whoever is first. */
const MARKER = '.lakehouse/lake.json';

export interface IdentityOptions {
  readonly mode: 'read' | 'write';
  /** A fresh random name, for a lake that has none yet. */
  readonly id: () => string;
  /** Where the log is, for people to read. */
  readonly stateDirectory: string;
}

/**
 * Log and data can be configured apart, and belong together all the same: files that another log made look like garbage to this
 * one. So both bear the id of the lake, from the first time that it is opened for writing. Where one of them does not yet, they
 * belong together if the files of the log are there, or if there is nothing yet.
 * @throws LakehouseError (usage) `other-lake` when they do not; `data-missing` when none of the log's files is there.
 */
export async function checkIdentity(state: StateWriter, store: ObjectStore, options: IdentityOptions): Promise<void> {
  const logged = state.meta('id');
  const marked = await readMarker(store);
  if (marked !== undefined && marked === logged) return;
  if (marked !== undefined && logged !== undefined) throw otherLake(state, store, options);
  const evidence = await lookForFiles(state, store);
  if (marked !== undefined && evidence !== 'found') throw otherLake(state, store, options);
  if (evidence === 'lost') throw dataMissing(store, options);
  if (options.mode === 'read') return;
  // First the log: its id without a marker is put right by what is above, should this process die in between.
  const id = state.setMetaOnce('id', marked ?? options.id());
  if (marked === undefined && (await writeMarker(store, id)) !== id) throw otherLake(state, store, options);
}

/** Whether any of the log's current files is there; `none` where it has none. */
async function lookForFiles(state: StateWriter, store: ObjectStore): Promise<'none' | 'found' | 'lost'> {
  let evidence: 'none' | 'lost' = 'none';
  for (const { path } of state.files()) {
    if ((await store.head(path)) !== undefined) return 'found';
    evidence = 'lost';
  }
  return evidence;
}

async function readMarker(store: ObjectStore): Promise<string | undefined> {
  if ((await store.head(MARKER)) === undefined) return undefined;
  const text = Buffer.from(await store.read(MARKER)).toString();
  try {
    const { id } = JSON.parse(text) as { id?: unknown };
    if (typeof id === 'string' && id !== '') return id;
  } catch {
    // Not JSON: refused below.
  }
  throw new LakehouseError('bad-marker', `${store.root}/${MARKER} does not say the id of a lake`, {
    kind: 'data',
    hint: 'It was altered or damaged. Remove it: if the log is that of these data, it is made anew.',
  });
}

/** The id in force, which is another one where somebody else was first. */
async function writeMarker(store: ObjectStore, id: string): Promise<string | undefined> {
  try {
    await store.put(MARKER, Buffer.from(`${JSON.stringify({ id })}\n`));
    return id;
  } catch (error) {
    if (isLakehouseError(error) && error.code === 'object-exists') return readMarker(store);
    throw error;
  }
}

function otherLake(state: StateWriter, { root }: ObjectStore, { stateDirectory }: IdentityOptions): LakehouseError {
  const message =
    state.index().head === 0
      ? `The data in ${root} have a log, and it is not in ${stateDirectory}`
      : `The log in ${stateDirectory} is not that of the data in ${root}`;
  return new LakehouseError('other-lake', message, {
    hint: `A log goes with one data directory: see state.directory and dataDir (lakehouse config). If the log of these data is lost for good, remove ${root}/${MARKER}: the next run makes a new log, and computes everything again.`,
  });
}

function dataMissing({ root }: ObjectStore, { stateDirectory }: IdentityOptions): LakehouseError {
  return new LakehouseError(
    'data-missing',
    `None of the files that the log in ${stateDirectory} knows is in ${root}, which does not say that it is their lake`,
    {
      hint: 'Mount the disk they are on, or see state.directory and dataDir (lakehouse config). If they are lost for good, move the log away: the next run makes a new one, and computes everything again.',
    },
  );
}
