import type { Node } from './ast.ts';
import type { Module, Modules } from './modules.ts';
import type { Binding, Source } from './scope.ts';

/** What a variable leads to: the index of a unit, or the name of something outside the local code. */
type Target = number | string;

/** A piece of code and, for each outer variable it uses, where that leads. */
type Unit = readonly [digest: string, edges: readonly (readonly [name: string, ...Target[]])[]];

export interface Walk {
  /** All code that is reached, in an order that follows from the code alone: independent of file names and of layout. */
  readonly units: readonly Unit[];
  readonly captures: readonly string[];
  readonly files: readonly string[];
}

/** Follows the variables of a piece of code, through local modules, to everything it can use. */
export function walk(home: Module, root: Node, modules: Modules): Walk {
  const units: Unit[] = [];
  const captures = new Set<string>();
  const entered = new Set<Module>();
  const queue: [Module, Node][] = [];
  const indexes = new Map<Node, number>();

  function unit(module: Module, node: Node): number {
    const index = indexes.get(node) ?? queue.length;
    if (index === queue.length) {
      indexes.set(node, index);
      queue.push([module, node]);
    }
    return index;
  }

  function variable(module: Module, binding: Binding): Target[] {
    const { kind, name, node, from } = binding;
    if (kind === 'given') captures.add(name);
    const origin = from ? imported(module, from) : node ? [unit(module, node)] : [];
    return [...origin, ...module.scopes.effects(binding).map((effect) => unit(module, effect))];
  }

  function imported(module: Module, { specifier, name }: Source): Target[] {
    const path = modules.resolve(specifier, module);
    if (path === undefined) return [`${modules.external(specifier, module)}#${name}`];
    const target = modules.load(path);
    if (target) return exported(target, name, new Set()) ?? [unit(target, target.program)];
    captures.add(`import '${specifier}'`);
    return [`${specifier}#${name}`];
  }

  function exported(module: Module, name: string, seen: Set<Module>): Target[] | undefined {
    const found = module.exports.get(name);
    if (typeof found === 'object') return isSource(found) ? imported(module, found) : [unit(module, found)];
    const binding = found === undefined ? undefined : module.scopes.top.get(found);
    if (binding) return variable(module, binding);
    if (seen.has(module) || name === '*' || name === 'default') return undefined;
    seen.add(module);
    const foreign: Target[] = [];
    for (const specifier of module.stars) {
      const path = modules.resolve(specifier, module);
      const target = path === undefined ? undefined : modules.load(path);
      const targets = target && exported(target, name, seen);
      if (targets) return targets;
      if (!target) foreign.push(...imported(module, { specifier, name }));
    }
    return foreign.length > 0 ? foreign : undefined;
  }

  unit(home, root);
  for (const [module, node] of queue) {
    const edges = new Map<string, Target[]>();
    for (const { name, binding } of module.scopes.reach(node)) {
      if (binding && !edges.has(name)) edges.set(name, variable(module, binding));
    }
    const others: [string, ...Target[]][] = [];
    if (node === module.program) {
      for (const [name, source] of module.exports) {
        if (typeof source === 'object' && isSource(source)) others.push([name, ...imported(module, source)]);
      }
      for (const specifier of module.stars) others.push(['*', ...imported(module, { specifier, name: '*' })]);
    }
    if (!entered.has(module)) {
      for (const specifier of module.sideEffects) others.push(['', ...imported(module, { specifier, name: '*' })]);
    }
    entered.add(module);
    const named = [...edges].map(([name, targets]): [string, ...Target[]] => [name, ...targets]);
    units.push([module.digest(node), [...named, ...others]]);
  }
  return { units, captures: [...captures], files: [...entered].map(({ path }) => path) };
}

function isSource(value: Node | Source): value is Source {
  return 'specifier' in value;
}
