// @vitest-environment happy-dom
// The subspace pictures against an engine that makes its numbers up: they follow λ and m, and the rank moves there.
import { act, cleanup, configure, fireEvent, render, screen } from '@testing-library/react'
import { beforeEach, describe, expect, it } from 'vitest'
import { geometryKey } from '../../share/experimentKey.ts'
import { setMethod, setNumber } from '../../state/actions/recipe.ts'
import { noProbes, useProbes } from '../../state/probes/store.ts'
import { useStudio } from '../../state/store.ts'
import { fakeGeometry } from '../../state/testing/fakeData.ts'
import { begin, experiment, resetStudio, settle } from '../../state/testing/freshStudio.ts'
import SubspaceBody from './SubspaceBody.tsx'

configure({ defaultHidden: true })
resetStudio()
beforeEach(() => {
  useProbes.setState(noProbes)
  cleanup()
})

const wait = (ms: number) => act(() => settle(ms))

function Body({ isTable = false }: { isTable?: boolean }) {
  const asked = useStudio((state) => state.recipe.experiment)
  const geometries = useStudio((state) => state.runs.geometries)
  return (
    asked && <SubspaceBody experiment={asked} geometry={geometries[geometryKey(asked)]} isTable={isTable} />
  )
}

async function open(isTable = false) {
  const engine = begin()
  await settle()
  render(<Body isTable={isTable} />)
  await wait(1000)
  return engine
}

// Roles of hundreds of cells take seconds to work out in this DOM.
const cellsOf = (title: string) => [
  ...screen.getByText(title, { selector: 'caption' }).closest('table')!.querySelectorAll('td'),
]
const numbersOf = (title: string) =>
  cellsOf(title)
    .map((cell) => cell.textContent!.replace('−', '-'))
    .filter((text) => text !== '')
    .map(Number)
const numbers = (text: string | null) => (text?.match(/[\d.]+/g) ?? []).map(Number)

describe('the alignment subspace', () => {
  it('shrinks with λ, the whole and every part, without asking the engine again', async () => {
    const engine = await open()
    expect(engine.calls.filter((name) => name === 'moduleCoordinates')).toHaveLength(1)
    act(() => setNumber('lambdaAlign', 0))
    await wait(100)
    expect(numbersOf('Merge')).toEqual(numbersOf('Plain average'))
    const [before, same] = numbers(document.querySelector('.subspace-length')!.textContent)
    expect(same).toBe(before)
    act(() => setNumber('lambdaAlign', 4))
    await wait(100)
    const [still, after] = numbers(document.querySelector('.subspace-length')!.textContent)
    expect(still).toBe(before)
    expect(after! / before!).toBeCloseTo(1 / 5, 2)
    expect(numbersOf('Merge')).not.toEqual(numbersOf('Plain average'))
    expect(engine.calls.filter((name) => name === 'moduleCoordinates')).toHaveLength(1)
    expect(engine.calls).not.toContain('measureModules')
  })

  it('measures the written merge on request, where rounding shows', async () => {
    const engine = await open()
    expect(document.querySelector('.subspace-length small')!.textContent).toMatch(/^as stored \d/)
    fireEvent.click(screen.getByLabelText('as stored'))
    await wait(3000)
    expect(engine.calls.filter((name) => name === 'measureModules')).toHaveLength(1)
    expect(screen.getByText(/Measured of the merge as it is stored/)).toBeTruthy()
    // What the engine gave of the merge, which is the first expert's here.
    const [, after] = numbers(document.querySelector('.subspace-length')!.textContent)
    const c = fakeGeometry(experiment()).alignmentCoordinates[0]!.slice(0, 8)
    expect(after! * 1e-3).toBeCloseTo(Math.hypot(...c), 6)
  })

  it('sums the cells of one direction to its coordinate', async () => {
    await open()
    fireEvent.change(screen.getByLabelText('By layer and module, of direction'), {
      target: { value: '2' },
    })
    await wait(100)
    const { alignmentCoordinates } = fakeGeometry(experiment())
    const c = alignmentCoordinates.reduce((sum, row) => sum + 0.5 * row[1]!, 0)
    const total = Number(cellsOf('Plain average').at(-1)!.textContent)
    const merged = Number(cellsOf('Merge').at(-1)!.textContent)
    expect(total * 1e-6).toBeCloseTo(c, 6)
    expect(merged / total).toBeCloseTo(1 / 5, 2)
  })

  it('moves the rank where it is seen', async () => {
    await open()
    const grip = screen.getByLabelText(/^Rank m/)
    expect(grip.getAttribute('aria-valuenow')).toBe('8')
    fireEvent.keyDown(grip, { key: 'ArrowLeft' })
    expect(experiment().rank).toBe(7)
    fireEvent.keyDown(grip, { key: 'End' })
    expect(experiment().rank).toBe(16)
    fireEvent.pointerDown(grip, { pointerId: 1, clientX: 200 })
    fireEvent.pointerMove(grip, { pointerId: 1, clientX: 94 })
    fireEvent.pointerUp(grip, { pointerId: 1, clientX: 94 })
    await wait(100)
    // The picture is laid out at its first width of 300 here: a quarter of 216 pixels after the axis of 40.
    expect(experiment().rank).toBe(4)
    expect(grip.getAttribute('aria-valuetext')).toMatch(/^4 directions, \d+ % explained$/)
  })

  it('shows the other directions, and all of it as a table', async () => {
    await open()
    fireEvent.click(screen.getByLabelText('held-out'))
    await wait(100)
    expect(screen.getByText(/which the shield has not seen/)).toBeTruthy()
    cleanup()
    await open(true)
    const rows = screen.getByLabelText('Directions as a table').querySelectorAll('tbody tr')
    expect(rows).toHaveLength(16)
    const own = [...rows[0]!.querySelectorAll('td')].map((cell) => cell.textContent)
    expect(own[0]).toBe('4.20')
    expect(own).not.toContain('·')
  })

  it('measures a merge that no closed form gives, and locks the rank where there is none', async () => {
    const engine = await open()
    act(() => setMethod('ties'))
    await wait(5000)
    expect(engine.calls).toContain('measureModules')
    expect(screen.getByText(/measured as it is stored/)).toBeTruthy()
    const grip = screen.getByLabelText(/^Rank m/)
    expect(grip.getAttribute('aria-disabled')).toBe('true')
    fireEvent.keyDown(grip, { key: 'ArrowLeft' })
    expect(experiment().rank).toBe(8)
  })
})
