import { parseEnv } from 'node:util';
import { closest } from '../common/suggest.ts';
import { readAssignment, readVariables } from './env.ts';
import { issueAt, type Origin } from './origin.ts';
import type { Section } from './tree.ts';
import { emptyLayer, type Layer } from './values.ts';
import { pairsOf, parseYaml, type Reading, readNode, readPair } from './yaml.ts';

/** A text and the name of its file as it is shown. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** Everything that settings are read from, as texts: the same sources may be resolved again with an extension. */
export interface SettingsSources {
  /** Working directory, absolute; relative paths in settings are relative to it, wherever they are written. */
  readonly cwd: string;
  readonly config: SourceText | undefined;
  /** The files beside the config file, by profile. */
  readonly profiles: ReadonlyMap<string, SourceText>;
  /** Where a profile's file would be put. */
  readonly profilesDirectory: string;
  /** Files of profiles that are not read, for they are beside another config file than the one that is. */
  readonly otherProfiles?: readonly string[];
  readonly dotenv: SourceText | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The profile of `--profile`. */
  readonly profile: string | undefined;
  /** The assignments of `--set`, in order. */
  readonly sets: readonly string[];
}

/** Names that ENVIRONMENT may have without there being such a profile. */
const CONVENTIONAL_PROFILES = ['development', 'staging', 'production', 'test'];

/** All layers above the defaults in one, lowest first. */
export function readLayers(sources: SettingsSources, root: Section): Layer {
  const file = emptyLayer();
  const inline = readConfigFile(sources.config, root, file);

  const dotenv = emptyLayer();
  if (sources.dotenv) {
    const { file: name, text } = sources.dotenv;
    const lines = text.split('\n');
    const lineOf = (variable: string) =>
      lines.findLastIndex((line) => line.match(/^\s*(?:export\s+)?([^\s=]+)\s*=/)?.[1] === variable);
    const originOf = (variable: string): Origin => ({
      kind: 'dotenv',
      name: variable,
      file: name,
      line: lineOf(variable) + 1,
    });
    readVariables(root, parseEnv(text), originOf, dotenv);
  }
  const environment = emptyLayer();
  readVariables(root, sources.env, (name) => ({ kind: 'environment', name }), environment);
  const args = emptyLayer();
  for (const assignment of sources.sets) readAssignment(root, assignment, args);
  if (sources.profile !== undefined) {
    const origin: Origin = { kind: 'argument', name: '--profile' };
    args.entries.push({ path: ['profile'], value: sources.profile, origin, secret: false });
  }

  const profile = emptyLayer();
  const above = [file, dotenv, environment, args].flatMap((layer) => layer.entries);
  const choice = above.findLast((entry) => entry.path[0] === 'profile');
  if (typeof choice?.value === 'string') addProfile(choice.value, choice.origin, sources, inline, root, profile);
  for (const [name, layer] of inline) if (name !== choice?.value) profile.issues.push(...layer.issues);

  const layers = [file, profile, dotenv, environment, args];
  return { entries: layers.flatMap((layer) => layer.entries), issues: layers.flatMap((layer) => layer.issues) };
}

/** Reads the config file into `file`, and each of its `profiles:` into a layer of its own. */
function readConfigFile(config: SourceText | undefined, root: Section, file: Layer): Map<string, Layer> {
  const inline = new Map<string, Layer>();
  if (!config) return inline;
  const reading = parseYaml(config.text, (line, column) => ({ kind: 'file', file: config.file, line, column }), file);
  for (const pair of pairsOf(reading.contents, reading, file, [])) {
    if (pair.key !== 'profiles') readPair(root, root, pair, reading, file);
    else {
      for (const { key, value, offset } of pairsOf(pair.value, reading, file, ['profiles'])) {
        const originAt = (at: number): Origin => inProfile(reading.originAt(at), key);
        inline.set(key, readOverlay(root, { ...reading, originAt, contents: value }, offset, emptyLayer()));
      }
    }
  }
  return inline;
}

function inProfile(origin: Origin, profile: string): Origin {
  return origin.kind === 'file' ? { ...origin, kind: 'profile', profile } : origin;
}

/** Reads what a profile says. It cannot say which profile is chosen. */
function readOverlay(root: Section, reading: Reading, offset: number, layer: Layer): Layer {
  readNode(root, root, reading.contents, offset, reading, layer);
  const choice = layer.entries.findIndex((entry) => entry.path[0] === 'profile');
  const [entry] = choice < 0 ? [] : layer.entries.splice(choice, 1);
  if (entry) {
    const message = 'A profile cannot choose a profile';
    layer.issues.push(issueAt(entry.origin, { code: 'invalid-setting', path: ['profile'], message }));
  }
  return layer;
}

function addProfile(
  name: string,
  origin: Origin,
  sources: SettingsSources,
  inline: ReadonlyMap<string, Layer>,
  root: Section,
  layer: Layer,
): void {
  const section = inline.get(name);
  const source = sources.profiles.get(name);
  if (section) {
    layer.entries.push(...section.entries);
    layer.issues.push(...section.issues);
  }
  if (source) {
    const at = (line: number, column: number): Origin => ({
      kind: 'profile',
      profile: name,
      file: source.file,
      line,
      column,
    });
    readOverlay(root, parseYaml(source.text, at, layer), 0, layer);
  }
  const asked = origin.kind === 'argument' && origin.name === '--profile';
  if (section || source || (!asked && CONVENTIONAL_PROFILES.includes(name))) return;
  const known = [...new Set([...inline.keys(), ...sources.profiles.keys()])].sort();
  const near = closest(name, known);
  const other = sources.otherProfiles?.find((file) => /([^/\\]+)\.yaml$/.exec(file)?.[1] === name);
  const beside = sources.config ? `, which is ${sources.config.file}.` : '.';
  const hint = [
    near.length > 0 && `Did you mean ${near.map((n) => `'${n}'`).join(' or ')}?`,
    known.length > 0 && `Known: ${known.join(', ')}.`,
    `A profile is a file ${sources.profilesDirectory}/${name}.yaml or a section under 'profiles:' in the config file${beside}`,
    other && `${other} is not read, for it is not beside ${sources.config?.file ?? 'the config file'}: copy it there`,
  ];
  const issue = { code: 'unknown-profile', path: ['profile'], message: `There is no profile '${name}'` };
  layer.issues.push(issueAt(origin, { ...issue, hint: hint.filter(Boolean).join(' ') }));
}
