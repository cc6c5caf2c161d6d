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

// The address goes by environment, so that the commands suggested afterwards do not carry it: they simulate in their own process.
const child = spawn(
  process.execPath,
  [resolve(root, 'bin/lakehouse.js'), 'materialize', '--profile', 'simulated', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      EXCHANGES__BINANCE__ARCHIVE__BASE_URL: exchange.url,
      EXCHANGES__BINANCE__ARCHIVE__LIST_URL: exchange.listUrl,
    },
  },
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
process.exitCode = code;
