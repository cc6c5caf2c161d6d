// Prints what is loaded for telemetry with the settings that are given as arguments.
import { registerHooks } from 'node:module';

const loaded = new Set<string>();
registerHooks({
  resolve: (specifier, context, next) => {
    loaded.add(specifier);
    return next(specifier, context);
  },
});
const { createTelemetry } = await import('../../../framework/operate/telemetry/telemetry.ts');
const { resolveSettings } = await import('../../../framework/config/resolve.ts');
const { readSettingsSources } = await import('../../../framework/config/load.ts');
const argv = { sets: process.argv.slice(2) };
const { settings } = resolveSettings(readSettingsSources({ cwd: import.meta.dirname, env: {}, argv }));
const telemetry = await createTelemetry({
  settings,
  version: '',
  host: '',
  pid: 0,
  now: () => 0,
  log: () => undefined,
  redact: (text) => text,
  listen: true,
});
await telemetry.close();
console.log(JSON.stringify([...loaded].filter((name) => /^@opentelemetry\/[a-z-]+$|^\.\/(?!telemetry)/.test(name))));
