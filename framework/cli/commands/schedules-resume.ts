import type { Context } from '../context.ts';
import { setPaused } from './schedules-pause.ts';

export const run = (context: Context, _options: object, name: string) => setPaused(context, name, false);
