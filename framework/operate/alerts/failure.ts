import { isLakehouseError, LakehouseError } from '../../common/errors.ts';

/** It may be delivered later. */
export function notDelivered(message: string, options: { cause?: unknown; retryAfterMs?: number | undefined } = {}) {
  return new LakehouseError('alert-not-delivered', message, { kind: 'transient', ...options });
}

/** It was this message that was refused: others may be delivered. */
export function refused(message: string): LakehouseError {
  return new LakehouseError('alert-refused', message, { kind: 'data' });
}

export const isRefused = (error: unknown): boolean => isLakehouseError(error) && error.code === 'alert-refused';
