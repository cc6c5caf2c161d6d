import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeChosen } from '../../framework/config/describe.ts';

test('what may be said of what a user names: of destinations, schedules, and in sections of a lake of their own', () => {
  const venue = z.object({ fee: z.number().default(1).meta({ description: 'In basis points.' }) });
  const found = describeChosen({ venues: z.record(z.string(), venue).default({}) });
  expect(found.filter(({ name }) => /severity|venues|overlap/.test(name))).toEqual([
    {
      name: 'schedules.<name>.overlap',
      description: 'A tick while the one before is running.',
      default: undefined,
      env: ['SCHEDULES__<NAME>__OVERLAP'],
      choices: ['skip', 'queue'],
    },
    {
      name: 'alerts.destinations.<name>.severity',
      description: 'Least severe that it is told of.',
      default: 'warn',
      env: ['ALERTS__DESTINATIONS__<NAME>__SEVERITY'],
      choices: ['warn', 'error'],
    },
    {
      name: 'venues.<name>.fee',
      description: 'In basis points.',
      default: 1,
      env: ['VENUES__<NAME>__FEE'],
      choices: [],
    },
  ]);
  expect(found.filter(({ description }) => description === undefined)).toEqual([]);
});
