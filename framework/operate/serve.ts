import { setTimeout } from 'node:timers/promises';
import { isLakehouseError, serializeError } from '../common/errors.ts';
import { type Alerts, leaseOfDead } from './alerts/alerts.ts';
import { startCourier } from './alerts/courier.ts';
import { Daemon } from './daemon.ts';
import { createJudge } from './judge.ts';
import type { Loaded } from './loaded.ts';
import type { Log } from './log.ts';
import type { Lease, LeaseOwner, OperateStore } from './store.ts';
import type { Watch } from './watch.ts';

export interface ServeOptions {
  readonly loaded: Loaded;
  readonly store: OperateStore;
  readonly owner: LeaseOwner;
  readonly log: Log;
  /** Takes secrets out of what is remembered. */
  readonly redact: (text: string) => string;
  readonly now: () => number;
  readonly settings: {
    readonly maxRuns: number;
    readonly ticksKept: number;
    readonly retentionDays: number;
    readonly automationEveryMs: number;
    readonly leaseTtlMs: number;
    readonly drainMs: number;
  };
  readonly watch?: Watch | undefined;
  /** Leave when all that is due now has been done. */
  readonly once: boolean;
  /** Aborted: finish and leave. */
  readonly stopping: AbortSignal;
  /** Who tells people of what is bad; `store` is that of the holder of the lease. */
  readonly alerts?: ((store: OperateStore) => Alerts) | undefined;
  /** Loads definitions and settings again; called while nothing else is. What it throws leaves everything as it was. */
  readonly reload: () => Promise<Loaded>;
  /** Registers what asks for a reload. */
  readonly onReload: (listener: () => void) => void;
}

/** The clock may jump, and others may pause or resume: it is looked at least this often. */
const LONGEST_SLEEP_MS = 10_000;
/** What cannot be delivered by then is by the next daemon. */
const LAST_DELIVERY_MS = 5_000;
/** What went wrong with the store may pass. */
const AFTER_ERROR_MS = 5_000;

/**
 * Keeps the lake fresh until told to stop. Only the holder of the lease does anything; another process stands by, and takes over
 * when the holder is gone or says nothing any more.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { store, owner, log, now, settings, watch, stopping } = options;
  let { loaded } = options;
  let waiting = false;
  // Whoever stands by reads definitions again when it takes over.
  let outdated = false;
  const onStandby = () => {
    outdated = true;
  };
  options.onReload(onStandby);
  while (!stopping.aborted) {
    const before = attempt(log, 'the lease could not be read', () => store.lease());
    const answer = attempt(log, 'the lease could not be asked for', () =>
      store.acquire(owner, settings.leaseTtlMs, now()),
    );
    if (answer && 'lease' in answer) {
      waiting = false;
      if (outdated) loaded = await reloaded(options, loaded);
      outdated = false;
      loaded = await lead({ ...options, loaded }, answer.lease, leaseOfDead(before));
      options.onReload(onStandby);
      if (options.once) break;
    } else if (answer && options.once) {
      const { owner: other } = answer.heldBy;
      log('info', 'another daemon is active, which does what is due', { active: other });
      break;
    } else {
      watch?.daemon({ role: 'standby', running: 0, waiting: 0 });
      if (answer && !waiting) {
        const { owner: other, heartbeatAt } = answer.heldBy;
        log('info', 'standing by, another daemon is active', {
          active: { ...other, heartbeat: new Date(heartbeatAt).toISOString() },
        });
        waiting = true;
      }
      await sleep(Math.min(settings.leaseTtlMs / 3, LONGEST_SLEEP_MS), stopping);
    }
  }
  watch?.daemon({ role: 'stopping' });
  await loaded.lake.close();
  log('info', 'stopped');
}

/** Is the active daemon until told to stop, or until the lease is lost. Returns what was loaded last. */
async function lead(options: ServeOptions, lease: Lease, crashed: Lease | undefined): Promise<Loaded> {
  const { store, log, now, settings, watch, stopping } = options;
  const fenced = store.fenced(lease);
  let bell = new AbortController();
  const wake = () => bell.abort();
  const daemon = new Daemon({ ...options, ...settings, store: fenced, wake });
  const alerts = attempt(log, 'alerts could not be read', () => options.alerts?.(fenced));
  const judge = alerts && createJudge(alerts, daemon, fenced, now);
  const leaving = new AbortController();
  const courier = alerts && startCourier(alerts, now, leaving.signal);
  alerts?.update({ reload: {}, ...(crashed && { crashed }) });
  const lost = new AbortController();
  const heartbeat = setInterval(() => {
    try {
      if (store.renew(lease, settings.leaseTtlMs, now())) return;
      lost.abort();
    } catch (error) {
      // While it cannot be written nobody else can take it over either, unless the file is not the same for all.
      log('error', 'the heartbeat could not be written', { error: serializeError(error) });
      return;
    }
    wake();
  }, settings.leaseTtlMs / 3);
  // Also while it finishes what is running.
  lost.signal.addEventListener('abort', () => void daemon.abandon(new Error('The lease was lost')), { once: true });
  let reloading: Promise<void> | undefined;
  options.onReload(() => {
    reloading = (reloading ?? Promise.resolve()).then(() => reload(options, daemon, alerts)).then(wake);
  });
  stopping.addEventListener('abort', wake);
  log('info', 'active', { epoch: lease.epoch, schedules: daemon.loaded.schedules.map(({ name }) => name) });
  try {
    let recovered = false;
    while (!stopping.aborted && !lost.signal.aborted) {
      let next: number | undefined;
      bell = new AbortController();
      try {
        if (!recovered) daemon.recover();
        recovered = true;
        next = daemon.turn();
        watch?.daemon({ role: 'active', turnAt: now(), ...daemon.load, sources: daemon.sources });
        judge?.look();
        courier?.poke();
      } catch (error) {
        if (isLakehouseError(error) && error.code === 'lease-lost') {
          lost.abort();
          break;
        }
        log('error', 'what is due could not be decided', { error: serializeError(error) });
        next = now() + AFTER_ERROR_MS;
      }
      if (options.once && daemon.busy.length === 0 && (next ?? Number.POSITIVE_INFINITY) > now()) break;
      const wait = Math.min((next ?? Number.POSITIVE_INFINITY) - now(), LONGEST_SLEEP_MS);
      if (wait > 0) await sleep(wait, bell.signal);
    }
    watch?.daemon({ role: 'stopping' });
    if (!lost.signal.aborted) {
      const { busy } = daemon;
      if (!options.once) log('info', 'stopping', busy.length > 0 ? { finishing: busy, drainMs: settings.drainMs } : {});
      await daemon.stop(settings.drainMs);
    } else {
      log('error', 'another daemon has taken over; standing by');
      await daemon.abandon(new Error('The lease was lost'));
    }
  } finally {
    clearInterval(heartbeat);
    stopping.removeEventListener('abort', wake);
    await reloading;
    leaving.abort();
    await courier?.ended;
    if (!lost.signal.aborted) {
      // What the last ticks came to is told before somebody else is.
      attempt(log, 'what to alert of could not be decided', () => judge?.look({ now: true }));
      await alerts?.deliver(AbortSignal.timeout(LAST_DELIVERY_MS), { all: true });
    }
    if (!lost.signal.aborted) attempt(log, 'the lease could not be released', () => store.release(lease));
  }
  return daemon.loaded;
}

/** What a process that stood by leads with. */
async function reloaded({ reload, log }: ServeOptions, before: Loaded): Promise<Loaded> {
  try {
    const after = await reload();
    await before.lake.close();
    return after;
  } catch (error) {
    log('error', 'the reload failed; going on with what was loaded before', { error: serializeError(error) });
    return before;
  }
}

async function reload({ reload, log }: ServeOptions, daemon: Daemon, alerts: Alerts | undefined): Promise<void> {
  try {
    const loaded = await reload();
    daemon.replace(loaded);
    alerts?.update({ reload: {} });
    log('info', 'reloaded', { schedules: loaded.schedules.map(({ name }) => name) });
  } catch (error) {
    alerts?.update({ reload: { error: serializeError(error) } });
    log('error', 'the reload failed; going on with what was loaded before', { error: serializeError(error) });
  }
}

function attempt<T>(log: Log, what: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    log('error', what, { error: serializeError(error) });
    return undefined;
  }
}

const sleep = (ms: number, signal: AbortSignal) => setTimeout(ms, undefined, { signal }).catch(() => undefined);
