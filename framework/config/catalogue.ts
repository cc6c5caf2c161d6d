import { z } from 'zod';
import { httpUrl } from './url.ts';

/** What other engines read the lake by. */
export const catalogueSection = z
  .object({
    enabled: z.boolean().default(true).meta({
      description:
        'Whether _catalog.json is kept, which says what is in the lake to those who read it without the log.',
    }),
    originals: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether it lists the files of originals too, which no engine reads as tables.' }),
    partitions: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether it lists every partition with its rows and hash, not only ranges of each file.' }),
    glue: z
      .object({
        enabled: z
          .boolean()
          .default(false)
          .meta({ description: 'Whether the tables are registered there after each run; for a lake on S3.' }),
        database: z
          .string()
          .regex(/^[a-z0-9_]{1,255}$/, 'The name of a Glue database is lower case: letters, digits and _')
          .default('lakehouse')
          .meta({ description: 'The database, made when it does not exist.' }),
        tablePrefix: z
          .string()
          .regex(/^[a-z0-9_]*$/, 'Names of Glue tables are lower case: letters, digits and _')
          .default('')
          .meta({ description: 'What the names of tables begin with; silver/klines is <prefix>silver_klines.' }),
        region: z.string().min(1).optional().meta({ description: 'The region of Glue; s3.region when absent.' }),
        endpoint: httpUrl().optional().meta({ description: 'The address of a Glue other than that of the region.' }),
        catalogId: z
          .string()
          .min(1)
          .optional()
          .meta({ description: 'The account whose catalogue it is; that of the credentials when absent.' }),
      })
      .meta({ description: 'AWS Glue, which Athena, Redshift Spectrum, Trino and EMR find tables by.' }),
  })
  .meta({ description: 'The catalogue for other engines.' });

export type CatalogueSettings = z.infer<typeof catalogueSection>;
