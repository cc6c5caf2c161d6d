import type { RunEvent } from '../../materialize/events.ts';
import { errorLine } from '../../report/errors.ts';
import { duration, number, plural } from '../../report/format.ts';
import type { Style } from '../style.ts';
import type { AssetProgress } from './model.ts';

/** A run's event as one line; undefined for those that are not worth one. `before`: how far its asset was. */
export function eventLine(event: RunEvent, style: Style, before?: AssetProgress): string | undefined {
  switch (event.type) {
    case 'observed': {
      const { asset, seen, changed, withdrawn, ms } = event;
      return `${asset}: ${plural(seen, 'partition')} seen, ${number(changed)} new or changed${withdrawn > 0 ? `, ${number(withdrawn)} withdrawn` : ''} ${style.faint(`(${duration(ms)})`)}`;
    }
    case 'planned':
      if (event.will + event.may === 0) return undefined;
      return `${plural(event.will, 'partition')} to compute${event.may > 0 ? `, up to ${number(event.may)} more if what they read changes` : ''}, in ${plural(event.batches, 'batch')}`;
    case 'departed':
      return `${event.asset}: ${plural(event.partitions, 'partition')} left the lake`;
    case 'asset-started': {
      const causes = Object.entries(event.causes).map(([cause, n]) => `${number(n)} ${cause}`);
      return `${event.asset}: computing ${plural(event.partitions, 'partition')} ${style.faint(`(${causes.join(', ')})`)}`;
    }
    case 'asset-finished': {
      const { asset, done, changed, failed, ms } = event;
      if (done + failed === 0) return undefined;
      const unchanged = done - changed;
      const checks = before?.checksFailed ?? 0;
      const bad = failed + checks > 0;
      const parts = [
        `${number(done)} computed`,
        unchanged > 0 && `${number(unchanged)} of them as before`,
        failed > 0 && style.bad(`${number(failed)} failed`),
        checks > 0 && style.bad(`${plural(checks, 'check')} failed`),
      ];
      return `${bad ? style.bad('✗') : style.good('✓')} ${asset}: ${parts.filter(Boolean).join(', ')} ${style.faint(`(${duration(ms)})`)}`;
    }
    case 'partition-failed':
      return `${style.bad('✗')} ${event.asset} ${event.partition}: ${errorLine(event.error, event.asset)}`;
    case 'check-failed':
      // Warnings are told at the end, all of a check together.
      if (event.severity === 'warn') return undefined;
      return `${style.bad('✗')} ${event.asset} ${event.partition}: check ${event.check} failed for ${plural(event.failedRows, 'row')}`;
    case 'retry':
      return style.faint(
        `${event.asset}: attempt ${event.attempt} failed (${errorLine(event.error, event.asset)}), again in ${duration(event.delayMs)}`,
      );
    case 'waiting':
      return `${event.asset}: waiting for ${event.heldBy}, which computes partitions of it`;
    case 'warning':
      return style.warning(
        `! ${event.asset ? `${event.asset}: ` : ''}${event.message}${event.hint ? `${/[.!?]$/.test(event.message) ? '' : '.'} ${event.hint}` : ''}`,
      );
    // What could not be computed is told at the end, all of it together.
    case 'held':
    case 'run-started':
    case 'observing':
    case 'batch-finished':
    case 'run-finished':
      return undefined;
  }
}
