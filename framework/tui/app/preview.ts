import { previewData, problemOf } from '../read/data.ts';
import { clamped, type UiContext } from './context.ts';

/** Rows of a preview, and of an answer. */
export const ROWS = 500;

/** What is in the chosen asset, or in one partition of it. */
export interface Preview {
  /** Reads it, where it was not yet or there is newer. */
  readonly show: () => void;
  /** Next time it is read again, whatever was. */
  readonly forget: () => void;
}

export function createPreview({ session, state, change, patch, size }: UiContext): Preview {
  let reading: AbortController | undefined;
  let shown = '';
  return {
    show: () => {
      const { asset, data } = state();
      if (asset === undefined) return;
      const wanted = `${asset}\n${data.partition ?? ''}\n${session.snapshot()?.view.head ?? 0}`;
      if (wanted === shown) return;
      shown = wanted;
      reading?.abort(new Error('superseded'));
      const own = new AbortController();
      reading = own;
      const end = (found: Partial<typeof data>) => {
        if (!own.signal.aborted) change((before) => ({ ...before, data: { ...before.data, ...found } }));
      };
      patch({ data: { ...data, preview: undefined, error: undefined, row: 0, column: 0 } });
      const limits = { rows: ROWS, candles: Math.max(size().columns - 14, 20) };
      previewData(session.lake(), asset, data.partition, limits, own.signal).then(
        (preview) => end({ preview }),
        (error: unknown) => end({ error: problemOf(error) }),
      );
    },
    forget: () => {
      shown = '';
    },
  };
}

/** The first column that is shown. */
export function moveColumn({ state, patch }: UiContext, by: number): void {
  const { data } = state();
  const { columns = [] } = (data.tab === 'sql' ? data.sql.result : data.preview?.first) ?? {};
  patch({ data: { ...data, column: clamped(data.column + by, columns.length - 1) } });
}
