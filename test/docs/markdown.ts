/** A fenced block: what stands behind its fence, its text, and the line of the fence. */
export interface Block {
  readonly language: string;
  readonly text: string;
  readonly line: number;
  /** Marked `<!-- not run -->`. */
  readonly skipped: boolean;
}

/** The fenced blocks of a document, in order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const language = /^```(\w+)$/.exec(lines[at] ?? '')?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`the block in line ${at + 1} is never closed`);
    const skipped = lines[at - 1] === '<!-- not run -->';
    blocks.push({ language, text: `${lines.slice(at + 1, end).join('\n')}\n`, line: at + 1, skipped });
    at = end;
  }
  return blocks;
}

/** The part of a document under a heading of the second level. */
export function section(markdown: string, heading: string): string {
  const [, rest] = markdown.split(`\n## ${heading}\n`);
  if (rest === undefined) throw new Error(`there is no section '${heading}'`);
  return rest.split(/\n## /)[0] ?? '';
}

/** The file that a block of code is, by the comment in its first line. */
export function fileOf({ text, line }: Block): { path: string; content: string } {
  const path = /^\/\/ (\S+\.(?:[jt]s|json))\n/.exec(text)?.[1];
  if (path === undefined) throw new Error(`the code in line ${line} does not begin with its path`);
  return { path, content: text };
}

export const isCode = ({ language }: Block): boolean => language === 'ts' || language === 'js';

const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, '<instant>'],
  [/\b[0-9a-z]{17}\b/g, '<run>'],
  [/\b[0-9a-f]{32}\b|\b[0-9a-f]{16}\b/g, '<version>'],
  [/\b\d+m \d\ds\b|\b[\d.]+ m?s\b/g, '<time>'],
  [/\b[\d.]+ [kM]?B\b/g, '<size>'],
  [/\brevision \d+/g, 'revision <n>'],
  // Columns are as wide as what stands in them.
  [/ {2,}/g, '  '],
];

/** Output without what differs from run to run, or with the version of a compressor: times, ids, versions, sizes of files. */
export const steady = (output: string): string =>
  CHANGING.reduce((text, [what, word]) => text.replace(what, word), output).trim();
