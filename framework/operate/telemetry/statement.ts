const KNOWN = new Set(['SELECT', 'COPY', 'CREATE', 'INSERT', 'UPDATE', 'DELETE', 'DROP', 'SET', 'DESCRIBE', 'EXPLAIN']);

/** What a statement does, one of few words: `SELECT`, `COPY`, … or `OTHER`. */
export function operationOf(sql: string): string {
  const word = /^[\s(]*([a-z]+)/i.exec(sql)?.[1]?.toUpperCase() ?? '';
  if (word === 'WITH' || word === 'FROM') return 'SELECT';
  return KNOWN.has(word) ? word : 'OTHER';
}
