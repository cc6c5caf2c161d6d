import { setFlagsFromString } from 'node:v8';

let prepared = false;

/**
 * To be called before anything else of the terminal UI is imported, by a process that is nothing but a terminal UI: it concerns all of the
 * process, and saves it a tenth of a second and much of its memory.
 * @param env of the process, which React reads.
 */
export async function prepareUi(env: Record<string, string | undefined>): Promise<void> {
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
  prepared = true;
  heapFor('reading');
}

const YOUNG_SPACE_GROWS = { reading: 1, looking: 1, working: 2 };
/** By how many percent of what lives the heap may grow before it is looked for what died; 0: as V8 sees fit, up to 300. */
const HEAP_GROWS = { reading: 0, looking: 50, working: 0 };

/**
 * Where a screen is all there is, the heap stays small: the space for young objects would grow to a hundred megabytes while a large lake
 * is read, and shrink only much later. Work that makes many objects would take twice as long that way.
 */
export function heapFor(use: 'reading' | 'looking' | 'working'): void {
  if (!prepared) return;
  setFlagsFromString(`--semi-space-growth-factor=${YOUNG_SPACE_GROWS[use]}`);
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWS[use]}`);
}
