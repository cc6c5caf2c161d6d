import { resolve } from 'node:path';
import { plural } from '../../report/format.ts';
import type { Template } from '../catalog.ts';
import { type Context, quoteWord, shownPath } from '../context.ts';
import { dependencyOn, ownPackage } from '../scaffold/package.ts';
import { packageName, projectFiles } from '../scaffold/project.ts';
import { writeProject } from '../scaffold/write.ts';

interface Options {
  readonly template: Template;
  readonly force?: boolean;
  readonly package?: string;
}

export async function run(context: Context, options: Options, directory = '.'): Promise<number | undefined> {
  const { console, io } = context;
  const own = ownPackage();
  const target = resolve(io.cwd, directory);
  const shown = shownPath(io.cwd, target);
  const dependency = options.package ?? dependencyOn(own, target);
  const files = await projectFiles(own, options.template, packageName(target), dependency);
  const { written, kept } = await writeProject(target, files, {
    shown: shown === '.' ? 'This directory' : shown,
    add: options.force === true,
    suffix: Buffer.from(io.random(4)).toString('hex'),
  });
  const next = [
    ...(shown === '.' ? [] : [`cd ${quoteWord(shown)}`]),
    kept.includes('package.json') ? `npm install ${quoteWord(installable(own.name, dependency))}` : 'npm install',
    'npm test',
    ...(options.template === 'crypto'
      ? ['npm start']
      : ['npx lakehouse materialize', 'npx lakehouse query "FROM gold.daily"']),
  ];
  console.result({ directory: target, template: options.template, package: dependency, written, kept, next }, () =>
    [
      `Made ${shown === '.' ? 'a lake here' : shown}: ${plural(written.length, 'file')}.`,
      ...(kept.length > 0 ? [`Left as they were: ${kept.join(', ')}.`] : []),
      '',
      'Next:',
      ...next.map((line) => `  ${line}`),
    ].join('\n'),
  );
  return undefined;
}

/** What `npm install` is to be told to get a dependency. */
const installable = (name: string, dependency: string): string =>
  /^[\^~]?\d/.test(dependency) ? `${name}@${dependency}` : dependency.replace(/^file:/, '');
