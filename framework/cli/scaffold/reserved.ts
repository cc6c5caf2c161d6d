const WORDS = `
  arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for
  function if implements import in instanceof interface let new null package private protected public return static super switch this
  throw true try typeof var void while with yield`;

const RESERVED = new Set(WORDS.trim().split(/\s+/));

/** Whether a name of letters, digits and _ can be no variable of a module. */
export const isReserved = (name: string): boolean => RESERVED.has(name);
