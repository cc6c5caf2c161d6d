import { existsSync } from 'node:fs';
import { join } from 'node:path';

const own = join(import.meta.dirname, '../../node_modules/.wire/bin/python3');

/** A Python with what `requirements.txt` says, if anybody has installed it. */
export const python = process.env.WIRE_PYTHON ?? (existsSync(own) ? own : 'python3');
