import {
  type AutomationCondition,
  type AutomationTester,
  asset,
  automationTester,
  columns,
  daily,
  defineLakehouse,
  dynamicDimension,
  earlier,
  from,
  monthly,
  overlapping,
  self,
  source,
  sql,
  text,
  window,
} from 'crypto-lakehouse';

const symbol = dynamicDimension();
const date = daily({ start: '2024-01-01' });
const month = monthly({ start: '2024-01' });
const table = { columns: columns({ x: text() }), sortBy: ['x'] as const, query: () => sql`SELECT 'x' AS x` };

export type Conditions = Partial<Record<'raw' | 'day' | 'roll' | 'month' | 'chain', AutomationCondition>>;

/** Files → raw → day → three days, months, and a chain of days. Published a day late. */
export function lake(automation: Conditions) {
  const own = (name: keyof Conditions) => {
    const condition = automation[name];
    return condition ? { automation: condition } : {};
  };
  const files = source('src/files', {
    partitions: { symbol, date },
    observe: async function* () {},
    publicationLagHours: 48,
  });
  const raw = asset('bronze/raw', { ...table, partitions: { symbol, date }, inputs: { files }, ...own('raw') });
  const day = asset('silver/day', { ...table, partitions: { symbol, date }, inputs: { raw }, ...own('day') });
  const roll = asset('gold/roll', {
    ...table,
    partitions: { symbol, date },
    inputs: { day: from(day, { date: window({ days: 2 }) }) },
    ...own('roll'),
  });
  const months = asset('gold/month', {
    ...table,
    partitions: { symbol, month },
    inputs: { day: from(day, { date: overlapping() }) },
    ...own('month'),
  });
  const chain = asset('gold/chain', {
    ...table,
    partitions: { symbol, date },
    inputs: { day, before: self({ date: earlier({ days: 1 }) }) },
    ...own('chain'),
  });
  return defineLakehouse({ assets: [files, raw, day, roll, months, chain] });
}

/** At noon of 2024-01-11, with ten days of A and B published. */
export function published(automation: Conditions): AutomationTester {
  const tester = automationTester(lake(automation), { now: '2024-01-11T12:00Z' });
  tester.observe('src/files', 'symbol=A|B/date=2024-01-01..2024-01-10');
  return tester;
}

/** The same, with everything computed. */
export function upToDate(automation: Conditions): AutomationTester {
  const tester = published(automation);
  for (const key of ['bronze/raw', 'silver/day', 'gold/roll', 'gold/month', 'gold/chain']) tester.materialize(key);
  return tester;
}
