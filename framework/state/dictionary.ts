import type { DatabaseSync } from 'node:sqlite';
import type { SeriesName } from './events.ts';
import { prepare } from './sql.ts';

/** Numbers for the names of series, so that an event of 500 series need not spell them out. Entries are never altered or removed. */
export interface SeriesNumbers {
  /** The number of a series; a new one is entered. */
  number(name: SeriesName): number;
  /** The series with a number. */
  name(number: number): SeriesName | undefined;
}

/** The dictionary as the table `series` has it. Its methods must be called inside a transaction. */
export class SeriesDictionary implements SeriesNumbers {
  readonly #db: DatabaseSync;
  readonly #names: SeriesName[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Learns what others have entered. */
  catchUp(): void {
    const rows = prepare(this.#db, 'SELECT id, series, series_values FROM series WHERE id >= ? ORDER BY id').all(
      this.#names.length,
    );
    for (const row of rows) this.#learn(String(row.series), String(row.series_values));
  }

  #learn(series: string, values: string): number {
    const number = this.#names.length;
    this.#names.push({ series, values: JSON.parse(values) as SeriesName['values'] });
    this.#numbers.set(`${series}\n${values}`, number);
    return number;
  }

  number({ series, values }: SeriesName): number {
    const text = JSON.stringify(values);
    const known = this.#numbers.get(`${series}\n${text}`);
    if (known !== undefined) return known;
    prepare(this.#db, 'INSERT INTO series VALUES (?, ?, ?)').run(this.#names.length, series, text);
    return this.#learn(series, text);
  }

  name(number: number): SeriesName | undefined {
    return this.#names[number];
  }
}
