import type { Node } from 'oxc-parser';

/**
 * The text of a definitions module with one more asset: imported, and at the end of the list in `defineLakehouse({ assets: […] })`.
 * Undefined where there is not exactly one such list, or the name means something already: then a person has to do it.
 */
export async function withAsset(
  file: string,
  text: string,
  variable: string,
  specifier: string,
): Promise<string | undefined> {
  const { parseSync, Visitor } = await import('oxc-parser');
  const { program, module, errors } = parseSync(file, text);
  if (errors.length > 0 || new RegExp(`\\b${variable}\\b`).test(text)) return undefined;
  const lists: { readonly start: number; readonly end: number; readonly last: number | undefined }[] = [];
  new Visitor({
    CallExpression({ callee, arguments: [options] }) {
      if (callee.type !== 'Identifier' || callee.name !== 'defineLakehouse' || options?.type !== 'ObjectExpression')
        return;
      for (const property of options.properties) {
        if (property.type !== 'Property' || !isNamed(property.key, 'assets')) continue;
        const { value } = property;
        if (value.type === 'ArrayExpression')
          lists.push({ start: value.start, end: value.end, last: value.elements.at(-1)?.end });
      }
    },
  }).visit(program);
  const [list] = lists;
  const after = module.staticImports.at(-1)?.end;
  if (list === undefined || lists.length > 1 || after === undefined) return undefined;
  const { start, end, last } = list;
  // As the list is laid out: each on a line of its own, or all on one.
  const tail = last === undefined ? '' : text.slice(last, end);
  const line = last === undefined ? '' : text.slice(text.lastIndexOf('\n', last) + 1, last);
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const [at, added] =
    last === undefined
      ? [start + 1, variable]
      : tail.includes('\n')
        ? [last, `,\n${indent}${variable}`]
        : [last, `, ${variable}`];
  return `${text.slice(0, after)}\nimport { ${variable} } from '${specifier}';${text.slice(after, at)}${added}${text.slice(at)}`;
}

const isNamed = (key: Node, name: string): boolean =>
  (key.type === 'Identifier' && key.name === name) || (key.type === 'Literal' && key.value === name);
