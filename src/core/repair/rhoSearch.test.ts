import { describe, expect, it } from 'vitest'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { searchRho } from './rhoSearch.ts'

const range = { target: 1, largest: 8, doublings: 4, bisections: 10 }
const search = (value: (rho: number) => number, isSpared: (rho: number) => boolean = () => true) =>
  searchRho(async (rho) => ({ value: value(rho), isSpared: isSpared(rho) }), range)

describe('searchRho', () => {
  it('finds the shortest ρ that meets the budget', async () => {
    const found = await search((rho) => rho / 3.3)
    expect(found.stage).toBe('met')
    expect(found.rho).toBeGreaterThanOrEqual(3.3)
    expect(found.rho).toBeLessThan(3.3 + 2 / 2 ** 10 + 1e-9)
    expect(found.trace.slice(0, 4).map(({ rho }) => rho)).toEqual([0, 1, 2, 4])
  })

  it('moves nothing where the budget is met already', async () => {
    expect(await search(() => 1)).toMatchObject({ stage: 'already met', rho: 0, trace: { length: 1 } })
  })

  it('goes as far as is spared where the budget asks for more', async () => {
    const found = await search(
      (rho) => rho / 3.3,
      (rho) => rho <= 2.5,
    )
    expect(found.stage).toBe('spared first')
    expect(found.rho).toBeLessThanOrEqual(2.5)
    expect(found.rho).toBeGreaterThan(2.5 - 2e-2)
    const early = await search(
      (rho) => rho / 3.3,
      (rho) => rho <= 0.4,
    )
    expect(early.rho).toBeGreaterThan(0.39)
    expect(
      await search(
        (rho) => rho / 3.3,
        () => false,
      ),
    ).toMatchObject({ stage: 'spared first', rho: 0 })
  })

  it('takes the best that is spared where no ρ meets the budget', async () => {
    expect(await search((rho) => -((rho - 2) ** 2))).toMatchObject({ stage: 'out of reach', rho: 2 })
    expect(
      await search(
        (rho) => rho / 100,
        (rho) => rho < 3,
      ),
    ).toMatchObject({ stage: 'out of reach', rho: 2 })
    expect(await search((rho) => -rho)).toMatchObject({ stage: 'out of reach', rho: 0 })
  })

  it('always ends, whatever it is given', async () => {
    let looks = 0
    const wild = (rho: number) => Math.sin(1e4 * rho) * 2
    const found = await searchRho(
      async (rho) => {
        looks++
        return { value: wild(rho), isSpared: Math.cos(1e4 * rho) > 0 }
      },
      { ...range, largest: 3.7 },
    )
    expect(looks).toBeLessThanOrEqual(1 + 4 + 20)
    expect(found.trace.length).toBe(looks)
    await expectFailure(
      searchRho(async () => ({ value: 0, isSpared: true }), { ...range, largest: 0 }),
      'request-invalid',
    )
  })
})
