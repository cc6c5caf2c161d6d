import { setFlagsFromString } from 'node:v8';

let prepared = false;

/**
 * To be called before anything else of the terminal UI is imported, by a process that is nothing but a terminal UI: it concerns all of the
 * process, and saves it a tenth of a second and much of its memory.
 * @param env of the process, which React reads.
 */
export async function prepareUi(env: Record<string, string | undefined>): Promise<void> {
  prepared = true;
  heapFor('looking');
  // Otherwise React checks what those who write components want checked.
  env.NODE_ENV ??= 'production';
  // Yoga decodes its own program where there is no fetch, for which Node would load an HTTP client.
  const fetch = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
  Object.defineProperty(globalThis, 'fetch', { value: undefined, configurable: true, writable: true });
  try {
    await import('ink');
  } finally {
    if (fetch) Object.defineProperty(globalThis, 'fetch', fetch);
  }
}

/**
 * Where a screen is all there is, the heap stays small: the space for young objects would grow to a hundred megabytes while a large lake
 * is read and shrink only much later, and what died is collected when it is half as much as what lives, not three times as much. Work
 * that makes many objects would take twice as long with it.
 */
export function heapFor(use: 'looking' | 'working'): void {
  if (!prepared) return;
  setFlagsFromString(`--semi-space-growth-factor=${use === 'looking' ? 1 : 2}`);
  setFlagsFromString(`--heap-growing-percent=${use === 'looking' ? 50 : 0}`);
}
