import { COMMANDS, type CommandId, commandFor } from '../model/commands.ts';
import { keysOf } from '../model/keys.ts';
import { createActions } from './actions.ts';
import { type ControllerOptions, createContext } from './context.ts';
import { createHeat } from './heat.ts';
import { pressOverlay } from './overlays.ts';
import { createPreview } from './preview.ts';
import { screenShown } from './screens.ts';
import { createSql, typesSql } from './sql.ts';

/** What keys do: one at a time, by their names. */
export interface Controller {
  readonly press: (key: string) => void;
  /** Text that came at once: typed where one types, nothing where its letters would be commands. */
  readonly paste: (text: string) => void;
  readonly screenShown: () => void;
}

const OF_A_CELL: ReadonlySet<CommandId> = new Set(['open', 'explain', 'data', 'copy', 'copy-path']);

export function createController(options: ControllerOptions): Controller {
  const ui = createContext(options);
  const { session, state, tell } = ui;
  const parts = { heat: createHeat(ui), preview: createPreview(ui), sql: createSql(ui) };
  const actions = createActions(ui, parts);

  const perform = (id: CommandId): void => {
    const command = COMMANDS.find((one) => one.id === id);
    const reason = command?.disabled?.(state());
    if (reason !== undefined) {
      tell(`${command?.label}: ${reason}.`);
      return;
    }
    try {
      // What is asked of the cell under the cursor is not answered for the one before.
      if (OF_A_CELL.has(id)) parts.heat.settle();
      actions[id]();
    } catch (error) {
      session.fail(command?.label ?? id, error);
    }
  };
  const press = (key: string): void => {
    const { overlay, screen } = state();
    try {
      if (overlay) pressOverlay({ ui, parts, perform }, overlay, key);
      else if (typesSql(state())) parts.sql.press(key);
      else {
        const command = commandFor(screen, key);
        if (command) perform(command.id);
      }
    } catch (error) {
      session.fail('This key', error);
    }
  };

  session.onRead(() => {
    const { screen, explain, detail } = state();
    if (explain && detail) session.explain(detail.asset, detail.partition);
    else if (screen === 'partitions') parts.heat.explain();
  });
  return {
    press,
    paste: (text) => {
      const { overlay } = state();
      const types = overlay ? 'line' in overlay : typesSql(state());
      if (types) for (const key of keysOf(text.replaceAll(/\s+/g, ' '), {})) press(key);
    },
    screenShown: () => screenShown(ui, parts),
  };
}
