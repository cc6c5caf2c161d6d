import type { AlertRule } from '../../common/alerts.ts';
import type { Alert } from './model.ts';

/** What one rule says of everything it was given. */
export interface Verdict {
  readonly rule: AlertRule;
  /** It speaks of alerts whose keys begin so, and of no others. */
  readonly scope: string;
  /** What is bad now; `again`: it is news though it was bad before. */
  readonly holds: readonly { readonly alert: Alert; readonly again?: boolean }[];
  /** Why an alert that does not hold any more is over, or undefined where that cannot be told. */
  readonly over: (alert: Alert) => string | undefined;
}
