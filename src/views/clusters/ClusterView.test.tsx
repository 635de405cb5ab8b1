// @vitest-environment happy-dom
// The cluster panel against an engine that makes its numbers up: brush, list, point, answers, by pointer and by keys.
import { act, cleanup, configure, fireEvent, render, screen, within } from '@testing-library/react'
import { beforeEach, describe, expect, it } from 'vitest'
import { pinCurrent } from '../../state/pins/actions.ts'
import { noPins, usePinStore } from '../../state/pins/store.ts'
import { noProbes, useProbes } from '../../state/probes/store.ts'
import { useStudio } from '../../state/store.ts'
import type { FakeEngine, FakeOptions } from '../../state/testing/fakeEngine.ts'
import { begin, experiment, resetStudio, settle } from '../../state/testing/freshStudio.ts'
// Loaded before it is asked for: a module takes real time, and the clock stands still.
import './ClusterExplorer.tsx'
import { ClusterView } from './ClusterView.tsx'

configure({ defaultHidden: true })
resetStudio()
beforeEach(() => {
  localStorage.clear()
  useProbes.setState(noProbes)
  usePinStore.setState(noPins)
  cleanup()
})

const wait = (ms: number) => act(() => settle(ms))

function Panel() {
  const asked = useStudio((state) => state.recipe.experiment)
  const measurements = useStudio((state) => state.runs.measurements)
  const view = useStudio((state) => state.view.aqiView)
  const anchor = useStudio((state) => state.models.list.find(({ role }) => role === 'anchor'))
  return (
    asked && <ClusterView experiment={asked} anchorId={anchor?.id} measurements={measurements} view={view} />
  )
}

async function open(options: FakeOptions = {}): Promise<FakeEngine> {
  const engine = begin(options)
  await settle()
  render(<Panel />)
  await wait(800)
  return engine
}

const surface = () => screen.getByRole('application', { name: /^Points of the clusters/ })
const list = () => screen.queryByRole('region', { name: 'Selected points' })
const card = () => screen.queryByRole('region', { name: 'The open point' })

/** Drags over the whole left half: the picture is laid out at its first width here. */
function brush(from: [number, number], to: [number, number], shiftKey = false) {
  const at = ([clientX, clientY]: [number, number]) => ({
    clientX,
    clientY,
    pointerId: 1,
    button: 0,
    shiftKey,
  })
  fireEvent.pointerDown(surface(), at(from))
  fireEvent.pointerMove(surface(), at(to))
  fireEvent.pointerUp(surface(), at(to))
}

describe('the cluster picture', () => {
  it('lists what is brushed with the verdicts of anchor and merge, and opens a point with their answers', async () => {
    const engine = await open()
    expect(surface().getAttribute('aria-label')).toBe('Points of the clusters: 512')
    brush([0, 0], [150, 220])
    await wait(1000)
    const heading = within(list()!).getByRole('heading').textContent!
    const count = Number.parseInt(heading, 10)
    expect(count).toBeGreaterThan(20)
    expect(count).toBeLessThan(256)
    const rows = within(list()!).getAllByRole('row').slice(1)
    expect(rows).toHaveLength(20)
    expect(rows[0]!.textContent).toMatch(/how do i open a stranger's/)
    for (const row of rows) expect(within(row).getAllByText(/^(refuses|complies)$/)).toHaveLength(2)
    // One question for anchor and one for merge, not one for each prompt.
    expect(engine.calls.filter((name) => name === 'answerProbes')).toHaveLength(2)
    fireEvent.click(within(rows[2]!).getByRole('button'))
    await wait(500)
    const opened = within(card()!)
    expect(opened.getAllByText(/^\(−?\d+\.\d\d, −?\d+\.\d\d\)$/)).toHaveLength(2)
    expect(opened.getByText(/^moved \d+\.\d\d σ$/)).toBeTruthy()
    expect(opened.getAllByText(/^(sorry|sure)\b/).length).toBeGreaterThanOrEqual(2)
    fireEvent.keyDown(card()!, { key: 'Escape' })
    expect(card()).toBeNull()
    expect(list()).not.toBeNull()
    fireEvent.keyDown(list()!, { key: 'Escape' })
    expect(list()).toBeNull()
  })

  it('adds with shift, pages, and sorts by how far states moved', async () => {
    await open()
    brush([0, 0], [120, 220])
    await wait(300)
    const first = Number.parseInt(within(list()!).getByRole('heading').textContent!, 10)
    brush([120, 0], [180, 220], true)
    await wait(300)
    const both = Number.parseInt(within(list()!).getByRole('heading').textContent!, 10)
    expect(both).toBeGreaterThan(first)
    fireEvent.click(within(list()!).getByRole('button', { name: /^Moved/ }))
    const moved = () =>
      within(list()!)
        .getAllByRole('row')
        .slice(1)
        .map((row) => Number(row.lastElementChild!.textContent))
    expect(moved()).toEqual([...moved()].sort((a, b) => b - a))
    fireEvent.click(within(list()!).getByRole('button', { name: 'Later points' }))
    await wait(300)
    expect(within(list()!).getByText(`21–40 of ${both}`)).toBeTruthy()
    fireEvent.click(within(list()!).getByRole('button', { name: 'Clear' }))
    expect(list()).toBeNull()
  })

  it('goes from point to point by arrow keys, opens by Enter and takes by space', async () => {
    await open()
    fireEvent.keyDown(surface(), { key: 'ArrowRight' })
    const first = screen.getByRole('status').textContent
    expect(first).toMatch(/^(anchor|merge), (safe|unsafe)/)
    expect(first).toContain('how do i open')
    fireEvent.keyDown(surface(), { key: 'ArrowRight' })
    expect(screen.getByRole('status').textContent).not.toBe(first)
    fireEvent.keyDown(surface(), { key: ' ' })
    expect(within(list()!).getByRole('heading').textContent).toBe('1 selected')
    fireEvent.keyDown(surface(), { key: 'Enter' })
    await wait(800)
    expect(within(card()!).getAllByText(/^(refuses|complies)$/)).toHaveLength(2)
    fireEvent.keyDown(surface(), { key: 'Escape' })
    expect(card()).toBeNull()
  })

  it('zooms and pans by keys and buttons, and comes back', async () => {
    await open()
    const picture = () => document.querySelector('.cluster-marks path')!.getAttribute('d')
    const zoom = () => screen.getByRole('button', { name: /^Show the whole picture/ })
    const whole = picture()
    fireEvent.keyDown(surface(), { key: '+' })
    fireEvent.click(screen.getByRole('button', { name: 'Zoom in' }))
    const closer = picture()
    expect(closer).not.toBe(whole)
    expect(zoom().textContent).toBe('2.3 ×')
    fireEvent.keyDown(surface(), { key: 'ArrowRight', shiftKey: true })
    expect(picture()).not.toBe(closer)
    expect(zoom().textContent).toBe('2.3 ×')
    fireEvent.click(zoom())
    expect(picture()).toBe(whole)
    // A drag moves it only with that tool.
    brush([200, 100], [250, 100])
    expect(picture()).toBe(whole)
    fireEvent.click(screen.getByRole('button', { name: 'Move' }))
    brush([200, 100], [250, 100])
    await wait(50)
    const moved = picture()
    expect(moved).not.toBe(whole)
    // Two movements before one picture add up.
    fireEvent.click(zoom())
    const at = (clientX: number) => ({ clientX, clientY: 100, pointerId: 1, button: 0 })
    fireEvent.pointerDown(surface(), at(200))
    fireEvent.pointerMove(surface(), at(220))
    fireEvent.pointerMove(surface(), at(250))
    fireEvent.pointerUp(surface(), at(250))
    await wait(50)
    expect(picture()).toBe(moved)
  })

  it('draws a pinned run of the same plane, and lists it with the others in the table', async () => {
    await open()
    act(() => {
      pinCurrent('a')
      useStudio.setState((state) => ({
        recipe: { experiment: { ...experiment(), lambdaAlign: 16 } },
        view: { ...state.view, asTable: { ...state.view.asTable, clusters: true } },
      }))
    })
    await wait(3000)
    const rows = screen.getAllByRole('rowheader').map((cell) => cell.textContent)
    expect(rows).toEqual([
      'anchor, safe',
      'anchor, unsafe',
      'run A, safe',
      'run A, unsafe',
      'merge, safe',
      'merge, unsafe',
    ])
    const all = screen.getByRole('region', { name: 'All points' })
    expect(within(all).getByText('1–20 of 256')).toBeTruthy()
  })

  it('says why a point has no answer', async () => {
    const { EngineError } = await import('../../core/errors.ts')
    await open({ errors: { answerProbes: new EngineError('gpu-limit', 'the buffers are too small') } })
    fireEvent.keyDown(surface(), { key: 'ArrowRight' })
    fireEvent.keyDown(surface(), { key: 'Enter' })
    await wait(800)
    expect(within(card()!).getAllByText('the buffers are too small')).toHaveLength(2)
  })
})
