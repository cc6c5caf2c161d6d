/** What a person wants to find a run by: `{ reason: 'backfill' }`. */
export type Tags = Readonly<Record<string, string>>;

export const TAG_KEY = /^[A-Za-z][\w./-]{0,62}$/;
const LONGEST_VALUE = 256;

/** What is wrong with a tag, as the end of a sentence that begins with it; undefined where nothing is. */
export function tagProblem(key: string, value: unknown): string | undefined {
  if (!TAG_KEY.test(key)) return 'is not a letter and then letters, digits, _ . / and -, 63 at most';
  if (typeof value !== 'string' || value === '') return 'has no value';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
  if (value.length > LONGEST_VALUE || /[\u0000-\u001f\u007f]/.test(value))
    return `has a value of more than a line or ${LONGEST_VALUE} characters`;
  return undefined;
}

/** `reason=backfill, team=research`, in the order of the keys. */
export const tagsText = (tags: Tags = {}): string =>
  Object.entries(tags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');

/** Whether something has all of these. */
export const hasTags = (tags: Tags = {}, wanted: Tags = {}): boolean =>
  Object.entries(wanted).every(([key, value]) => tags[key] === value);
