import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { needsS3, s3Available } from './s3.ts';

/** The file of DuckDB's extension httpfs: of the environment, or of the working copy. */
export const httpfs: string | undefined = [
  process.env.LAKEHOUSE_TEST_HTTPFS,
  fileURLToPath(new URL('../../node_modules/.s3/httpfs.duckdb_extension', import.meta.url)),
].find((path) => path !== undefined && path !== '' && existsSync(path));

/** For the names of suites: why they skip. */
export const needsHttpfs: string = !s3Available
  ? needsS3
  : httpfs === undefined
    ? ' (SKIPPED: needs the DuckDB extension httpfs: LAKEHOUSE_TEST_HTTPFS=<path of httpfs.duckdb_extension>)'
    : '';
