// @vitest-environment happy-dom
// The sweep in its panel, driven by an engine that makes its numbers up: empty, half full, full, with a point that
// fails; maps, triangles and Pareto pictures by pointer and by keys; pinned runs.
import { act, cleanup, configure, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { EngineError } from '../../core/errors.ts'
import { encodeLink } from '../../share/codec.ts'
import { mergeKey } from '../../share/experimentKey.ts'
import { packResults } from '../../share/results.ts'
import { defaultSweep, type SweepSpec } from '../../share/sweeps/spec.ts'
import { testExperiment } from '../../share/sweeps/testExperiment.ts'
import { startStudio } from '../../state/actions/start.ts'
import { pinCurrent } from '../../state/pins/actions.ts'
import { noPins, usePinStore } from '../../state/pins/store.ts'
import { receiveResults } from '../../state/share/actions.ts'
import { initialState, readState, useStudio } from '../../state/store.ts'
import { setPicture, setSweep } from '../../state/sweeps/actions.ts'
import { selectSheet } from '../../state/sweeps/selectors.ts'
import { createFakeEngine, type FakeOptions } from '../../state/testing/fakeEngine.ts'
import { fakeResults } from '../../state/testing/fakeResults.ts'
import { useWork } from '../app/useWork.ts'
import { PinBar } from '../pins/PinBar.tsx'
import { SweepView } from './SweepView.tsx'

configure({ defaultHidden: true })

// The first test would pay for all of them.
beforeAll(() =>
  Promise.all([
    import('./SheetView.tsx'),
    import('./ParetoSweep.tsx'),
    import('./SweepSettings.tsx'),
    import('../charts/HeatMap.tsx'),
    import('../charts/TernaryMap.tsx'),
    import('../charts/ParetoPlot.tsx'),
    import('../charts/SweepStack.tsx'),
  ]),
)

const experiment = testExperiment()
const grid: SweepSpec = {
  kind: 'grid',
  x: { parameter: 'lambdaAlign', from: 0, to: 1024, count: 3 },
  y: { parameter: 'rank', from: 1, to: 16, count: 2 },
}

function Page() {
  const { experiment: shown, cast, geometry, measurements, view, key } = useWork()
  return (
    <>
      <PinBar mergeKey={key} />
      <SweepView
        experiment={shown}
        anchorId={cast?.anchor.id}
        geometry={geometry}
        measurements={measurements}
        view={view}
      />
    </>
  )
}

let stop: () => void = () => {}
const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))

interface OpenOptions extends FakeOptions {
  spec?: SweepSpec
  weights?: readonly number[]
  /** a λ_align at which measuring fails */
  failsAt?: number
}

async function open({ spec = grid, weights = [0.5, 0.5], failsAt, ...options }: OpenOptions = {}) {
  const base = testExperiment({ weights })
  const view = { page: 'studio' as const, aqiView: 'completions' as const, prompt: '' }
  history.replaceState(null, '', encodeLink({ experiment: base, view }))
  localStorage.setItem('alignmerge-sweep', JSON.stringify({ spec, picture: 'sweep', measures: {} }))
  const engine = createFakeEngine(options)
  stop = startStudio(() => {
    const connection = engine.connect()
    const { measure } = connection.port
    connection.port.measure = async (id, asked, subject, parts) => {
      if (subject.kind === 'merge' && subject.lambdaAlign === failsAt)
        throw new EngineError('shape-mismatch', 'the merge is not finite')
      return measure(id, asked, subject, parts)
    }
    return connection
  })
  // Rendered once everything has arrived: hundreds of renders on the way would test nothing more.
  await vi.advanceTimersByTimeAsync(40_000)
  render(<Page />)
  await until(() => document.querySelector('.map-picture, .sweep-plot svg') !== null)
  // Its settings come after the pictures.
  await until(() => document.querySelector('.sweep-progress') !== null)
  return engine
}

/** Lets time pass until something is there: pictures are loaded one after another. */
async function until(isThere: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !isThere(); round++) await wait(50)
  expect(isThere()).toBe(true)
}

const current = () => readState().recipe.experiment!
const maps = () => screen.getAllByRole('listbox')
const cells = (map = maps()[0]!) => within(map).getAllByRole('option')
const labels = (map = maps()[0]!) => cells(map).map((cell) => cell.getAttribute('aria-label') ?? '')
const sheet = () => selectSheet(grid, experiment)

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  usePinStore.setState(noPins)
  useStudio.setState(initialState(), true)
})
afterEach(async () => {
  cleanup()
  stop()
  await vi.advanceTimersByTimeAsync(1000)
  vi.useRealTimers()
})

describe('a map', () => {
  it('has a cell for every point and no number before anything is measured', async () => {
    await open({ measureLimit: 0 })
    expect(maps()).toHaveLength(2)
    expect(labels()).toHaveLength(6)
    for (const label of labels()) expect(label).toMatch(/not measured yet$/)
    expect(screen.getByText('0 of 6 measured', { exact: false })).toBeTruthy()
    fireEvent.click(screen.getByRole('button', { name: 'Table' }))
    const table = screen.getByRole('table', { name: 'Points of the sweep' })
    expect(table.querySelectorAll('b')).toHaveLength(0)
  })

  it('tells measured cells from those that are not yet, and counts them', async () => {
    // Anchor, merge and some of the sweep.
    await open({ measureLimit: 21 })
    const waiting = labels().filter((label) => label.endsWith('not measured yet')).length
    expect(waiting).toBeGreaterThan(0)
    expect(waiting).toBeLessThan(6)
    const measured = cells().filter((cell) => cell.querySelector('circle'))
    expect(measured).toHaveLength(6 - waiting)
    expect(cells().filter((cell) => cell.querySelector('[fill^="url"]'))).toHaveLength(waiting)
  })

  it('shows every measured value with its interval, in words and as a ring', async () => {
    await open()
    for (const map of maps()) for (const label of labels(map)) expect(label).toMatch(/95 % interval/)
    const radii = cells().map((cell) => Number(cell.querySelector('circle')?.getAttribute('r')))
    expect(radii.every((radius) => radius > 0)).toBe(true)
    expect(screen.getByText(/all measured/)).toBeTruthy()
  })

  it('makes a cell the recipe by a click, and by keys alone', async () => {
    await open()
    const { points } = sheet()
    fireEvent.click(cells()[4]!)
    await wait(500)
    expect(mergeKey(current())).toBe(mergeKey(points[4]!.experiment))
    expect(cells()[4]!.getAttribute('aria-selected')).toBe('true')
    const map = maps()[0]!
    act(() => map.focus())
    fireEvent.keyDown(map, { key: 'Home' })
    fireEvent.keyDown(map, { key: 'ArrowRight' })
    fireEvent.keyDown(map, { key: 'ArrowUp' })
    const active = map.getAttribute('aria-activedescendant')
    expect(document.getElementById(active!)).toBe(cells()[4]!)
    fireEvent.keyDown(map, { key: 'ArrowLeft' })
    fireEvent.keyDown(map, { key: 'Enter' })
    await wait(500)
    expect(mergeKey(current())).toBe(mergeKey(points[3]!.experiment))
  })

  it('shows a failed point as failed, with the reason and without a number', async () => {
    await open({ failsAt: 1024 })
    const failed = labels().filter((label) => label.includes('failed. the merge is not finite'))
    expect(failed).toHaveLength(2)
    for (const cell of cells().filter((one) => one.getAttribute('aria-label')?.includes('failed'))) {
      expect(cell.querySelector('circle')).toBeNull()
      expect(cell.querySelector('[stroke="var(--bad)"]')).toBeTruthy()
    }
    expect(screen.getByText(/2 failed/)).toBeTruthy()
    fireEvent.click(screen.getByRole('button', { name: 'Table' }))
    const rows = screen.getAllByRole('row').filter((row) => row.textContent?.includes('not finite'))
    expect(rows).toHaveLength(2)
    for (const row of rows) expect(row.querySelector('b')).toBeNull()
  })

  it('has behaviour on the right whatever stands on the left', async () => {
    await open()
    const [left, right] = screen.getAllByRole('combobox').slice(-2)
    const choices = (select: HTMLElement) =>
      within(select)
        .getAllByRole('option')
        .map((one) => one.textContent)
    expect(choices(left!)).toContain('AQI')
    expect(choices(right!)).not.toContain('AQI')
    expect(choices(right!)).not.toContain('held-out drift')
    fireEvent.change(left!, { target: { value: 'skill sort' } })
    expect(screen.getByRole('listbox', { name: 'Map of sort' })).toBeTruthy()
  })

  it('of three weights is a triangle, whose corners are the experts alone', async () => {
    await open({ spec: { kind: 'weights', steps: 2 }, weights: [0.5, 0.3, 0.2] })
    expect(cells()).toHaveLength(6)
    fireEvent.click(cells()[5]!)
    await wait(500)
    expect(current().experts.map(({ weight }) => weight)).toEqual([0, 0, 1])
  })
})

describe('the settings of a sweep', () => {
  it('change what is measured; the new points arrive', async () => {
    await open()
    act(() => setSweep({ kind: 'line', x: { parameter: 'rank', from: 2, to: 8, count: 3 } }))
    await wait(10_000)
    await until(() => screen.queryByRole('slider', { name: 'Rank' }) !== null)
    fireEvent.click(screen.getByRole('button', { name: 'Table' }))
    const table = screen.getByRole('table', { name: 'Measurements along m' })
    const heads = within(table).getAllByRole('columnheader')
    expect(heads.slice(1, 4).map((head) => head.textContent)).toEqual(['2', '5', '8'])
    const refusal = within(table).getByRole('rowheader', { name: 'harmful refused' }).closest('tr')!
    for (const cell of within(refusal).getAllByRole('cell'))
      expect(cell.textContent).toMatch(/^\d+ \[\d+–\d+\]$/)
  })

  it('say how fast points come and how long the rest takes', async () => {
    await open({ measureLimit: 24, stepMs: 100 })
    expect(screen.getByText(/points\/s · about .* left/)).toBeTruthy()
  })
})

describe('the line about how much is there', () => {
  const spec = defaultSweep
  const packed = () => JSON.parse(JSON.stringify(packResults(fakeResults(experiment)))) as unknown
  const line = () => document.querySelector('.sweep-progress')!

  it('says what came with a link while nothing is measured here, and what is measured then', async () => {
    await open({ spec, measureLimit: 0 })
    expect(line().textContent).toBe('0 of 10 measured')
    await act(() => receiveResults('link', packed(), experiment))
    await wait(100)
    expect(line().textContent).toBe('all from the link')
    expect(line().querySelector('progress')!.value).toBe(10)
  })

  it('counts what is measured here beside what is still the link’s', async () => {
    await open({ spec, measureLimit: 21 })
    await act(() => receiveResults('link', packed(), experiment))
    await wait(100)
    const [, own, received] =
      /^(\d+) of 10 measured · (\d+) of 10 from the link/.exec(line().textContent!) ?? []
    expect(Number(own)).toBeGreaterThan(0)
    expect(Number(own) + Number(received)).toBe(10)
  })

  it('calls precomputed what ships with the page, until it is measured here', async () => {
    await open({ spec, measureLimit: 0 })
    await act(() => receiveResults('shipped', packed(), experiment))
    await wait(100)
    expect(line().textContent).toBe('all precomputed')
    act(() => setSweep({ kind: 'line', x: { parameter: 'rank', from: 2, to: 8, count: 4 } }))
    await wait(500)
    // The recipe has m 8, so one point of the four is there.
    expect(line().textContent).toMatch(/^1 of 4 precomputed/)
  })

  it('says so when all of it was measured here', async () => {
    await open({ spec })
    await act(() => receiveResults('shipped', packed(), experiment))
    await wait(100)
    expect(line().textContent).toBe('all measured')
  })
})

describe('the Pareto picture', () => {
  it('has every measured point, a front, and opens a point by keys', async () => {
    await open()
    act(() => setPicture('pareto'))
    const name = 'harmful refused against mean skill'
    await until(() => screen.queryByRole('listbox', { name }) !== null)
    const box = screen.getByRole('listbox', { name })
    // Six of the map, the recipe, anchor and two experts.
    expect(cells(box)).toHaveLength(10)
    expect(screen.getByText('6 of 6 points')).toBeTruthy()
    act(() => box.focus())
    fireEvent.keyDown(box, { key: 'Home' })
    fireEvent.keyDown(box, { key: 'Enter' })
    await wait(500)
    expect(mergeKey(current())).toBe(mergeKey(sheet().points[0]!.experiment))
  })
})

describe('pinned runs', () => {
  it('are kept while the recipe moves on, stand on the map, and come back', async () => {
    await open()
    fireEvent.click(screen.getByRole('button', { name: 'Pin as A' }))
    const pinned = current()
    expect(screen.getByRole('button', { name: 'Restore A: AlignMerge, λ 4' })).toBeTruthy()
    fireEvent.click(cells()[5]!)
    await wait(500)
    fireEvent.click(screen.getByRole('button', { name: 'Pin as B' }))
    expect(screen.getByRole('button', { name: 'Restore B: AlignMerge, λ 1024, m 16' })).toBeTruthy()
    const letters = [...maps()[0]!.closest('svg')!.querySelectorAll('text')].map((text) => text.textContent)
    expect(letters).toEqual(expect.arrayContaining(['A', 'B']))
    fireEvent.click(screen.getByRole('button', { name: 'Swap A and B' }))
    fireEvent.click(screen.getByRole('button', { name: /^Restore B/ }))
    await wait(500)
    expect(current()).toEqual(pinned)
    fireEvent.click(screen.getByRole('button', { name: 'Unpin B' }))
    expect(screen.getAllByText('nothing pinned')).toHaveLength(1)
  })

  it('mark the line where they are another merge than the line’s', async () => {
    await open({
      spec: { kind: 'line', x: { parameter: 'lambdaAlign', from: 0, to: 1024, count: 10 } },
    })
    act(() => pinCurrent('a'))
    await wait(500)
    const flag = () => document.querySelector('.sweep-pin')!
    expect(flag().hasAttribute('data-elsewhere')).toBe(false)
    act(() => usePinStore.setState({ a: { ...current(), rank: 2 }, b: null }))
    await wait(500)
    expect(flag().hasAttribute('data-elsewhere')).toBe(true)
  })
})
