// `npm start`: the main job against a simulated exchange that serves on this machine's loopback interface. Offline.
import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SIMULATED } from '../assets/exchanges/simulated/defaults.ts';
import { startSimulatedExchange } from '../assets/exchanges/simulated/server.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const exchange = await startSimulatedExchange(SIMULATED);
console.log(
  `Simulated exchange at ${exchange.url}: ${SIMULATED.listings.map((l) => l.symbol).join(', ')}, ${SIMULATED.from} to ${SIMULATED.to}. Nothing here is real market data.\n`,
);

const archive = 'exchanges.binance.archive';
const child = spawn(
  process.execPath,
  [
    resolve(root, 'bin/lakehouse.js'),
    'materialize',
    '--profile',
    'simulated',
    '--set',
    `${archive}.baseUrl=${exchange.url}`,
    '--set',
    `${archive}.listUrl=${exchange.listUrl}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to the child as well; only signals to this process alone are passed on.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
const code = await new Promise((done) => {
  child.on('exit', (status, signal) => done(status ?? (signal ? 1 : 0)));
});
await exchange.close();
if (code === 0 && !process.argv.includes('--json')) {
  console.log(`
Next:
  npx lakehouse status --profile simulated
  npx lakehouse explain gold/indicators symbol=BTCUSDT/interval=1m/market=spot/date=2024-02-01 --profile simulated
  npx lakehouse query "SELECT symbol, count(*) AS candles, min(low), max(high) FROM silver.klines GROUP BY ALL" --profile simulated`);
}
process.exitCode = code;
