// Links outlive versions. Each entry turns the content of a link of version n into that of version n + 1; a link is
// upgraded step by step and then validated as the current version. Never change an entry once it has shipped.

/** Content of an old link, not trusted. */
export type Upgrade = (content: unknown) => unknown

export const currentVersion = 1

export const upgrades: Readonly<Record<number, Upgrade>> = {}

/** Content at `target`, or undefined when a step is missing. */
export function upgradeContent(
  content: unknown,
  version: number,
  target: number = currentVersion,
  table: Readonly<Record<number, Upgrade>> = upgrades,
): { content: unknown } | undefined {
  let upgraded = content
  for (let step = version; step < target; step++) {
    const upgrade = table[step]
    if (!upgrade) return undefined
    upgraded = upgrade(upgraded)
  }
  return { content: upgraded }
}
