import { Box, render, Text, useInput } from 'ink';
import { createElement, type ReactNode, useState } from 'react';

const PAGES = [0, 1].map((page) =>
  Array.from(
    { length: 50 },
    (_, i) => `\u001b[3${1 + ((i + page) % 6)}m${`line ${i} ${page} `.padEnd(200, '■□')}\u001b[39m`,
  ),
);

/** As many lines as a screen has, all of which a key changes. */
function Pages(): ReactNode {
  const [keys, count] = useState(0);
  useInput(() => count((n) => n + 1));
  // Two keys within a frame are seen as well.
  const lines = PAGES[keys % 2]?.with(0, `key ${keys}`) ?? [];
  return createElement(
    Box,
    { flexDirection: 'column', width: 200, height: 50 },
    lines.map((line, i) => createElement(Text, { key: i, wrap: 'truncate' }, line)),
  );
}

/** The least that could be drawn: lines that were made beforehand, with the settings of the terminal UI. */
export async function startInk(
  stdin: NodeJS.ReadStream,
  stdout: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<void> }> {
  const app = render(createElement(Pages), {
    stdin,
    stdout,
    alternateScreen: true,
    incrementalRendering: true,
    maxFps: 60,
    interactive: true,
  });
  signal.addEventListener('abort', () => app.unmount());
  return { ended: app.waitUntilExit().then(() => undefined) };
}
