import { describe, expect, test } from 'vitest';
import { mirrorLake } from './lake.ts';

const HEADER = 'calc_time,funding_interval_hours,last_funding_rate';
const um = { type: 'fundingRate', market: 'um', cadence: 'monthly', symbol: 'BTCUSDT' } as const;
const HOUR = 3_600_000;

/** A month of fundings: rate by the number of hours since its start, for each multiple of `every` hours. */
function month(period: string, every: number, rate: (hour: number) => string | undefined) {
  const start = Date.parse(`${period}-01T00:00:00Z`);
  const end = new Date(start);
  end.setUTCMonth(end.getUTCMonth() + 1);
  const lines: string[] = [HEADER];
  for (let hour = 0; start + hour * HOUR < end.getTime(); hour += every) {
    const text = rate(hour);
    if (text !== undefined) lines.push(`${start + hour * HOUR + 3},${every},${text}`);
  }
  return { ...um, period, csv: `${lines.join('\n')}\n` };
}

describe('gold/funding_rates', () => {
  test('annualised, means of what there is, regime, carry that begins anew with the month', async () => {
    const { materialize, rows } = await mirrorLake([
      // At rest in January; from February on every four hours, shorts pay.
      month('2024-01', 8, () => '0.0001'),
      month('2024-02', 4, (hour) => (hour < 240 ? '-0.0002' : '0.0003')),
    ]);
    expect((await materialize('+gold/funding_rates')).failed).toEqual([]);
    const at = (time: string) =>
      rows(
        `SELECT funding_rate, interval_hours, round(annualised_rate, 9), round(mean_7d, 9), round(mean_30d, 9), fundings_30d, regime, carry_30d, carry_month, available_at::VARCHAR FROM gold.funding_rates WHERE funding_time = '${time}'`,
      );
    // The first of all.
    expect(await at('2024-01-01 00:00:00')).toEqual([
      [0.0001, 8, 0.1095, 0.1095, 0.1095, 1, 'neutral', 0.0001, 0.0001, '2024-01-01 00:00:00.003'],
    ]);
    // Thirty days later the first three are gone, but they are of this month.
    expect(await at('2024-01-31 16:00:00')).toEqual([
      [0.0001, 8, 0.1095, 0.1095, 0.1095, 90, 'neutral', 0.009, 0.0093, '2024-01-31 16:00:00.003'],
    ]);
    // 6 days and 20 hours at rest, then one of four hours: 20 × 0.0001 - 0.0002 over 20 × 8 + 4 hours.
    expect(await at('2024-02-01 00:00:00')).toEqual([
      [
        -0.0002,
        4,
        -0.438,
        Number(((0.0018 / 164) * 8760).toFixed(9)),
        Number(((0.0087 / 716) * 8760).toFixed(9)),
        90,
        'neutral',
        0.0087,
        -0.0002,
        '2024-02-01 00:00:00.003',
      ],
    ]);
    // Seven days of -0.0002 every four hours.
    expect((await at('2024-02-08 00:00:00'))[0]?.slice(3, 7)).toEqual([-0.438, expect.any(Number), 111, 'negative']);
    expect(
      await rows('SELECT regime, count(*), min(funding_time)::VARCHAR FROM gold.funding_rates GROUP BY 1 ORDER BY 3'),
    ).toMatchObject([
      ['neutral', expect.any(BigInt), '2024-01-01 00:00:00'],
      ['negative', expect.any(BigInt), expect.any(String)],
      ['positive', expect.any(BigInt), expect.any(String)],
    ]);
    // The months' last carries are the carry of both.
    expect(
      await rows(
        "SELECT round(sum(c), 9), (SELECT sum(funding_rate)::DOUBLE FROM silver.funding_rates) FROM (SELECT arg_max(carry_month, funding_time) AS c FROM gold.funding_rates GROUP BY date_trunc('month', funding_time))",
      ),
    ).toEqual([
      [0.0093 - 60 * 0.0002 + 114 * 0.0003, 0.0093 - 60 * 0.0002 + 114 * 0.0003].map((v) => Number(v.toFixed(9))),
    ]);
  });
});
