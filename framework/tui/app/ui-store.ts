import type { UiState } from '../model/state.ts';
import { createStore, type Store } from '../model/store.ts';

/** What becomes of the state. */
export type Update = (state: UiState) => UiState;
export type UiStore = Store<UiState, Update>;

export const createUiStore = (initial: UiState): UiStore =>
  createStore<UiState, Update>(initial, (state, update) => update(state));
