import { enableCompileCache } from 'node:module';

// The command line in a process of its own, from source; compiled once for all of them, as bin/ does.
enableCompileCache();
const { main } = await import('../../framework/cli/main.ts');
process.exitCode = await main(process.argv.slice(2));
