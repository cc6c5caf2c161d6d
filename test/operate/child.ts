import { main } from '../../framework/cli/main.ts';

// The command line in a process of its own, from source.
process.exitCode = await main(process.argv.slice(2));
