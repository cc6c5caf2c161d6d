import { serializeError } from '../../common/errors.ts';
import type { OpenedLake } from '../../materialize/open.ts';
import type { EvaluatedAt } from '../../report/freshness.ts';
import type { Lease, OperateReader } from '../store.ts';
import { alertsOf } from './decide.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import { type AlertSettings, type Destination, destinationsOf, sizeOf } from './destinations.ts';
import type { Facts } from './facts.ts';
import { lakeFacts } from './gather.ts';
import { type Alert, type AlertMemory, NOTHING_REMEMBERED, type Notice } from './model.ts';

const MEMORY_KEY = 'alerts/memory';

/** `store`: of the holder of the lease. `env`: of commands. */
export interface AlertsOptions extends Omit<DeliveryOptions, 'settings'> {
  readonly settings: AlertSettings;
  /** A command of this program as it is to be typed for this lake. */
  readonly command: (...words: readonly string[]) => string;
}

export interface Alerts {
  /** Judges what is known now, and writes down what is to be told. Never throws; what could not be written down is judged again. */
  readonly update: (facts: Facts) => void;
  /** The same of an evaluated lake, with all that there is to know of it. */
  readonly look: (lake: Pick<OpenedLake, 'graph' | 'state' | 'resources'>, evaluated: EvaluatedAt) => void;
  /**
   * Delivers what is due, to all destinations at once; each attempt takes as long as its destination's timeout at most. Never rejects.
   * @param signal aborted: what is being delivered is delivered another time.
   * @param options.all what still waits for company as well: the daemon ends.
   * @returns when something is due again, ms UTC; undefined when nothing waits.
   */
  readonly deliver: (signal: AbortSignal, options?: { readonly all?: boolean }) => Promise<number | undefined>;
  /** Other settings from now on. */
  readonly configure: (settings: AlertSettings) => void;
}

/** What is raised now, and what is known to judge what comes. */
export function readMemory(store: OperateReader): AlertMemory {
  return { ...NOTHING_REMEMBERED, ...(store.recall(MEMORY_KEY) as AlertMemory | undefined) };
}

/** The lease of a daemon that died, if it is that of one: who ends in order gives it back. */
export const leaseOfDead = (before: Lease | undefined): Lease | undefined =>
  before && before.expiresAt > 0 ? before : undefined;

/** Who has been told what there is. Another type under the same name is somebody else. */
const signOf = ({ name, type }: Destination) => `${name}:${type}`;

/** What is bad and was told before, for those who have not heard of it. */
function standingBeside(notices: readonly Notice[], { active }: AlertMemory, at: number): Notice[] {
  const news = new Set(notices.map(({ alert }) => alert.key));
  return Object.values(active).flatMap(({ alert }) => (news.has(alert.key) ? [] : [{ kind: 'reminder', at, alert }]));
}

/** Tells people what is bad. Whoever is new among them hears what stands. What is decided and what is to be told are written down together. */
export function createAlerts(options: AlertsOptions): Alerts {
  const { store, log, now, redact, command } = options;
  let { settings } = options;
  let destinations = destinationsOf(settings);
  let memory = readMemory(store);
  const delivery = new Delivery({ ...options, settings: () => ({ ...settings, destinations }) });

  const decide = (factsOf: () => Facts): void => {
    try {
      const { storageQuota } = settings;
      const rules = {
        ...settings,
        command,
        storageQuota: storageQuota === undefined ? undefined : sizeOf(storageQuota),
      };
      const { raise, clear, remind, memory: found } = alertsOf(factsOf(), memory, rules, now());
      // Messages of errors may hold what other people must not see.
      const notices = [...raise, ...clear, ...remind].map((one) => ({ ...one, alert: clean(one.alert) }));
      const active = Object.entries(found.active).map(([key, one]) => [key, { ...one, alert: clean(one.alert) }]);
      const next: AlertMemory = {
        ...found,
        active: Object.fromEntries(active),
        destinations: destinations.map(signOf),
      };
      const standing = standingBeside(notices, next, now());
      const told = new Set(memory.destinations);
      const noticesFor = (one: Destination) => (told.has(signOf(one)) ? notices : [...standing, ...notices]);
      if (notices.length > 0 || JSON.stringify(next) !== JSON.stringify(memory))
        delivery.add(noticesFor, { [MEMORY_KEY]: next });
      memory = next;
      notices.forEach(say);
    } catch (error) {
      log('error', 'what to alert of could not be decided', { error: serializeError(error) });
    }
  };

  const clean = (alert: Alert): Alert => ({
    ...alert,
    title: redact(alert.title),
    text: redact(alert.text),
    ...(alert.next !== undefined && { next: redact(alert.next) }),
  });

  const say = ({ kind, alert, why }: Notice) =>
    log(kind === 'cleared' ? 'info' : 'warn', `alert ${kind}: ${alert.title}`, {
      alert: alert.key,
      severity: alert.severity,
      [alert.subject.kind]: alert.subject.name,
      reason: why ?? alert.text,
    });

  return {
    update: (facts) => decide(() => facts),
    look: (lake, evaluated) =>
      decide(() => {
        const { checkedTo } = memory;
        return { lake: lakeFacts(lake, evaluated, { checkedTo, storage: settings.storageQuota !== undefined }) };
      }),
    deliver: (signal, { all = false } = {}) => delivery.deliver(signal, all),
    configure: (other) => {
      settings = other;
      destinations = destinationsOf(other);
    },
  };
}
