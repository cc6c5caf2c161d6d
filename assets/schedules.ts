import { schedule } from 'crypto-lakehouse';

/**
 * The archive publishes a day in the course of the next one, and changes older ones at any time. Looking often is cheap: only
 * what changed is fetched and computed.
 */
export const archive = schedule({
  name: 'archive',
  description: 'Looks for what the archive has published or changed, and computes what is stale.',
  cron: '10 */3 * * *',
  jitterSeconds: 600,
});
