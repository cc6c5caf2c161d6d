import { COMMANDS, type Command, commandsOf } from '../model/commands.ts';
import { fuzzy } from '../model/fuzzy.ts';
import type { UiState } from '../model/state.ts';
import type { HelpGroup } from '../view/help.ts';
import type { Candidate } from '../view/palette.ts';
import type { Session } from './session.ts';

const NAMES: Readonly<Record<string, string>> = {
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  escape: 'esc',
  pagedown: 'pgdn',
  pageup: 'pgup',
};
/** A key as people write it. */
export const keyName = (key: string): string => NAMES[key] ?? key;

/** Everything that keys do on this screen. @param nameOf how keys are called. */
export function helpGroups(state: UiState, nameOf: (key: string) => string = keyName): HelpGroup[] {
  const groups = Map.groupBy(commandsOf(state.screen), ({ group }) => group);
  return (['Act', 'Look', 'Move', 'Screens', 'Program'] as const).flatMap((title) => {
    const commands = groups.get(title) ?? [];
    if (commands.length === 0) return [];
    const bindings = commands.map(({ keys, label, help, disabled }) => ({
      keys: keys.map(nameOf),
      label,
      description: help,
      disabledReason: disabled?.(state),
    }));
    return [{ title, bindings }];
  });
}

/** What the palette offers: commands of this screen, and assets to go to. */
export type PaletteChoice =
  | { readonly type: 'command'; readonly command: Command }
  | { readonly type: 'asset'; readonly asset: string };

const NOT_OFFERED: ReadonlySet<string> = new Set(['down', 'up', 'left', 'right', 'palette', 'open', 'toggle']);

export function paletteEntries(
  state: UiState,
  { graph }: Pick<Session, 'graph'>,
  query: string,
  nameOf: (key: string) => string = keyName,
): { readonly choice: PaletteChoice; readonly candidate: Candidate }[] {
  const choices: PaletteChoice[] = [
    ...COMMANDS.filter(({ id, screens }) => !NOT_OFFERED.has(id) && (screens?.includes(state.screen) ?? true)).map(
      (command) => ({ type: 'command' as const, command }),
    ),
    ...graph.order.map((asset) => ({ type: 'asset' as const, asset })),
  ];
  const textOf = (choice: PaletteChoice) => (choice.type === 'command' ? choice.command.label : choice.asset);
  return fuzzy(query, choices, textOf).map(({ item, positions }) => {
    if (item.type === 'asset')
      return {
        choice: item,
        candidate: {
          label: item.asset,
          kind: 'asset',
          description: graph.node(item.asset).definition.description,
          positions,
        },
      };
    const { command } = item;
    return {
      choice: item,
      candidate: {
        label: command.label,
        kind: command.group === 'Screens' ? 'screen' : 'command',
        key: command.keys.map(nameOf).join(' '),
        description: command.help,
        disabledReason: command.disabled?.(state),
        positions,
      },
    };
  });
}
