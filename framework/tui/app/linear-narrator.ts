import type { RunDetail, Size } from '../model/data.ts';
import type { UiState } from '../model/state.ts';
import { took, visible } from '../view/format.ts';
import { counted, listed, type Told } from '../view/linear.ts';
import { jobMessage } from './draw.ts';
import { fieldOf, keysTold, tellOf } from './linear-told.ts';
import type { Session } from './session.ts';

/** While one types, what comes of it is told when no key came for so long. */
const TYPING_MS = 700;
/** How often a run is spoken of while it goes on. */
const PROGRESS_MS = 2000;

export interface NarratorOptions {
  readonly session: Session;
  readonly now: () => number;
  readonly size: Size;
  readonly write: (text: string) => void;
}

/** Tells what changes, a line each. */
export interface Narrator {
  readonly say: (text: string) => void;
  /** Tells where one is, and from then on what changes. */
  readonly begin: () => void;
  /** That a key is about to do something: what it did is told, or again what the cursor is on. */
  readonly pressed: (key: string) => void;
  readonly end: () => void;
}

export function createNarrator({ session, now, size, write }: NarratorOptions): Narrator {
  const { store } = session;
  const job = createJobTeller(now);
  let atStart = true;
  let told: Told | undefined;
  let focus: string | undefined;
  /** Title of the last screen that was told. */
  let screen: string | undefined;
  const places = new Set<string>();
  let message = store.get().message;
  /** Of the line that is typed, as much as was said. */
  let typed: string | undefined;
  let owed = false;
  let pause: NodeJS.Timeout | undefined;

  const say = (text: string) => {
    write(`${atStart ? '' : '\n'}${visible(text)}\n`);
    atStart = true;
  };
  const sayFocus = (next: Told) => {
    ({ focus } = next);
    owed = false;
    if (focus !== undefined) say(focus);
  };
  const arrive = (next: Told, state: UiState) => {
    say(`${next.title}.`);
    // Out of a dialog one comes back to where one was.
    if (next.title !== screen || next.reading === 'all') for (const line of next.summary) say(line);
    if (!state.overlay) screen = next.title;
    owed = next.reading === 'focus';
    focus = undefined;
    if (!next.reading) sayFocus(next);
    const keys = places.has(next.place) ? undefined : keysTold(state);
    places.add(next.place);
    if (keys !== undefined) say(keys);
  };
  /** The characters that were typed, or the whole line where that is not what happened; whether there was anything to say. */
  const echo = (state: UiState): boolean => {
    const text = fieldOf(state)?.text;
    const before = typed;
    typed = text;
    if (text === before || text === undefined) return false;
    if (before === undefined) {
      if (text !== '') say(`Text: ${text}`);
      return false;
    }
    if (text.startsWith(before)) {
      write(visible(text.slice(before.length)));
      atStart = false;
    } else say(text === '' ? 'Text: empty' : `Text: ${text}`);
    return true;
  };
  const look = () => {
    const state = store.get();
    if (state.message !== message) {
      ({ message } = state);
      if (message) say(message.text);
      owed &&= message === undefined;
    }
    for (const line of job(state)) say(line);
    const next = tellOf(state, { session, now: now(), size });
    const before = told;
    const arrived = next.place !== before?.place || next.title !== before.title;
    if (arrived) arrive(next, state);
    told = next;
    if (echo(state)) {
      owed = false;
      clearTimeout(pause);
      pause = setTimeout(() => {
        if (told && told.focus !== focus && !told.reading) sayFocus(told);
      }, TYPING_MS);
    }
    if (arrived) return;
    const read = before?.reading === 'all' && next.reading !== 'all';
    if (read || (before?.reading !== 'all' && next.reading === 'all')) for (const line of next.summary) say(line);
    if (!next.reading && (owed || read)) sayFocus(next);
  };
  let stop: () => void = () => undefined;
  return {
    say,
    begin: () => {
      stop();
      told = undefined;
      screen = undefined;
      stop = store.subscribe(look);
      look();
    },
    pressed: (key) => {
      // Of keys that come together each types its character.
      if (typed !== undefined) echo(store.get());
      if (key === 'enter' && typed) say(`Entered: ${typed}`);
      owed = true;
      clearTimeout(pause);
      // After the store has told of what the key changed, if it did.
      setImmediate(() => {
        if (owed) look();
      });
    },
    end: () => {
      stop();
      owed = false;
      clearTimeout(pause);
      if (!atStart) write('\n');
    },
  };
}

/** Of the run of this process, or the one that is looked at: that it goes on, now and then, and how it ended. */
function createJobTeller(now: () => number): (state: UiState) => string[] {
  let before: { readonly own: boolean; readonly detail: RunDetail } | undefined;
  let at = 0;
  let said = '';
  return (state) => {
    const { job, runs } = state;
    const open = state.screen === 'runs' && runs.open !== undefined ? runs.detail : undefined;
    const going = job?.detail ?? (open?.row.outcome === 'running' ? open : undefined);
    const last = before;
    before = going && { own: job !== undefined, detail: going };
    if (!going) {
      if (!last) return [];
      const ended = open?.row.run === last.detail.row.run ? open : last.detail;
      return last.own || ended.row.outcome !== 'running' ? [endOf(ended, now())] : [];
    }
    if (!last) {
      at = now();
      return job ? ['The run begins; c stops it.'] : [];
    }
    const text = jobMessage({ job: job ?? { run: going.row.run, detail: going, stopping: false } })?.text ?? '';
    if (text === said || now() - at < PROGRESS_MS) return [];
    [said, at] = [text, now()];
    return [text];
  };
}

function endOf({ row, assets }: RunDetail, now: number): string {
  const done = assets.reduce((sum, one) => sum + one.done, 0);
  const failed = assets.reduce((sum, one) => sum + one.failed, 0);
  const counts = counted(row.counts) || counted({ done, failed });
  return `The run is over: ${listed(counts, `took ${took(row.startedAt, row.finishedAt, now)}`)}.`;
}
