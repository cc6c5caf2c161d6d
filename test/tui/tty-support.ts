import { PassThrough } from 'node:stream';
import { Terminal } from '@xterm/headless';
import { expect, onTestFinished, vi } from 'vitest';

export const ENTER_ALTERNATE = '\u001b[?1049h';
export const LEAVE_ALTERNATE = '\u001b[?1049l';
export const SHOW_CURSOR = '\u001b[?25h';

/** A keyboard and a screen, the latter drawn by a real terminal emulator. */
export async function terminal(columns = 100, rows = 30) {
  const emulator = new Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  onTestFinished(() => emulator.dispose());
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (on: boolean) => {
      raw.push(on);
    },
    ref: () => undefined,
    unref: () => undefined,
  });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows });
  let written = '';
  let frames = 0;
  stdout.on('data', (chunk: Buffer) => {
    written += chunk.toString();
    frames++;
    emulator.write(chunk);
  });
  const lines = async (): Promise<string[]> => {
    await new Promise<void>((resolve) => emulator.write('', resolve));
    const { active } = emulator.buffer;
    return Array.from({ length: emulator.rows }, (_, i) =>
      (active.getLine(active.baseY + i)?.translateToString(true) ?? '').trimEnd(),
    );
  };
  return {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    type: (text: string) => stdin.write(text),
    resize: (to: number, high: number) => {
      emulator.resize(to, high);
      Object.assign(stdout, { columns: to, rows: high });
      stdout.emit('resize');
    },
    raw,
    written: () => written,
    frames: () => frames,
    lines,
    shows: (wanted: string) =>
      vi.waitFor(async () => expect((await lines()).join('\n')).toContain(wanted), { timeout: 20_000, interval: 20 }),
  };
}
export type Tty = Awaited<ReturnType<typeof terminal>>;
