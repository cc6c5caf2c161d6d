import type { DatabaseSync } from 'node:sqlite';
import { LakehouseError } from '../common/errors.ts';
import { prepare } from './sql.ts';
import type { ClaimOwner, ClaimRefused, ClaimToken } from './store.ts';

/** Whether a process of this host is running. */
export type IsAlive = (pid: number) => boolean;

/** All packs or none. Runs inside a transaction that holds the write lock. */
export function takeClaim(
  db: DatabaseSync,
  asset: string,
  packs: readonly string[],
  owner: ClaimOwner,
  ttlMs: number,
  nowMs: number,
  isAlive: IsAlive,
): ClaimToken | ClaimRefused {
  const find = prepare(db, 'SELECT run, host, pid, expires FROM claims WHERE asset = ? AND pack = ?');
  const held: string[] = [];
  let heldBy: ClaimRefused['heldBy'] | undefined;
  for (const pack of packs) {
    const row = find.get(asset, pack);
    if (row === undefined || Number(row.expires) <= nowMs) continue;
    if (row.host === owner.host && !isAlive(Number(row.pid))) continue;
    held.push(pack);
    heldBy ??= { run: String(row.run), host: String(row.host), pid: Number(row.pid), expires: Number(row.expires) };
  }
  if (heldBy !== undefined) return { heldBy, packs: held };
  const token = Number(
    prepare(db, 'UPDATE counters SET next_claim = next_claim + 1 RETURNING next_claim - 1 AS token').get()?.token,
  );
  const take = prepare(db, 'INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  for (const pack of packs) take.run(asset, pack, token, owner.run, owner.host, owner.pid, nowMs, nowMs, nowMs + ttlMs);
  return { token, asset, packs: [...new Set(packs)], ttlMs };
}

function stillOurs(db: DatabaseSync, { token, packs }: ClaimToken): boolean {
  return Number(prepare(db, 'SELECT count(*) AS n FROM claims WHERE token = ?').get(token)?.n) === packs.length;
}

/** False when any of the packs was taken over. */
export function renewClaim(db: DatabaseSync, claim: ClaimToken, nowMs: number): boolean {
  if (!stillOurs(db, claim)) return false;
  prepare(db, 'UPDATE claims SET heartbeat = ?, expires = ? WHERE token = ?').run(
    nowMs,
    nowMs + claim.ttlMs,
    claim.token,
  );
  return true;
}

export function releaseClaim(db: DatabaseSync, { token }: ClaimToken): void {
  prepare(db, 'DELETE FROM claims WHERE token = ?').run(token);
}

/** @throws LakehouseError `claim-lost`. */
export function requireClaim(db: DatabaseSync, claim: ClaimToken): void {
  if (stillOurs(db, claim)) return;
  throw new LakehouseError(
    'claim-lost',
    `The claim on ${claim.packs.join(', ')} of ${claim.asset} expired and was taken over`,
    {
      kind: 'conflict',
      hint: 'This process was stopped or too slow to renew its claim. The stage is discarded and planned again.',
      details: { asset: claim.asset, packs: claim.packs },
    },
  );
}
