import { describe, expect, it } from 'vitest'
import type { PointText, PointTexts } from '../../../workers/api/probes.ts'
import { placeholderExperiment } from '../app/placeholderExperiment.ts'
import { PointIndex } from '../charts/pointIndex.ts'
import { type ClusterSource, layersOf, sourceOf } from './clusterSources.ts'
import { classOf, movedOf, PointBook } from './pointBook.ts'

const source = (id: ClusterSource['id'], safe: number[], unsafe: number[]): ClusterSource =>
  sourceOf(
    id,
    placeholderExperiment,
    { kind: 'model', id },
    { safe: Float32Array.from(safe), unsafe: Float32Array.from(unsafe) },
  )[0]!
const text = (probe: string): PointText => ({ probe, set: 'harmful', topic: 'any', prompt: `${probe} ?` })
const texts = (safe: string[], unsafe: string[]): PointTexts => ({
  safe: safe.map(text),
  unsafe: unsafe.map(text),
})

describe('points of the fixed views', () => {
  const sources = [source('anchor', [0, 0, 1, 0], [5, 5]), source('merge', [3, 4, 1, 1], [5, 5])]
  const shared = texts(['p', 'q'], ['p'])
  const book = new PointBook(sources, [shared, shared], false)

  it('pair by class and number, and move from the anchor’s to the merge’s', () => {
    const item = book.itemAt({ cloud: 2, index: 0 })
    expect(item.text?.probe).toBe('p')
    expect(item.places.anchor).toMatchObject({ x: 0, y: 0, className: 'safe', place: { cloud: 0, index: 0 } })
    expect(item.places.merge).toMatchObject({ x: 3, y: 4, place: { cloud: 2, index: 0 } })
    expect(movedOf(item)).toBe(5)
    expect(book.itemAt({ cloud: 0, index: 0 }).key).toBe(item.key)
    // The same probe on the other side is another text, hence another item.
    const other = book.itemAt({ cloud: 3, index: 0 })
    expect(other.key).not.toBe(item.key)
    expect([other.text?.probe, classOf(other), movedOf(other)]).toEqual(['p', 'unsafe', 0])
  })

  it('are brushed once, whosever points were caught', () => {
    const index = new PointIndex(layersOf(sources).map(({ points }) => points))
    const ids = index.inRectangle(-1, -1, 10, 10)
    expect(ids).toHaveLength(6)
    expect(book.itemsOf(index, ids).map(({ key }) => key)).toEqual(['safe 0', 'safe 1', 'unsafe 0'])
    expect(book.all()).toHaveLength(3)
  })

  it('have no text where the texts are of other points', () => {
    const wrong = texts(['p'], ['p'])
    expect(new PointBook(sources, [wrong, wrong], false).itemAt({ cloud: 0, index: 0 }).text).toBeUndefined()
  })

  it('stand alone while nobody else is measured', () => {
    const alone = new PointBook([sources[0]!], [shared], false).itemAt({ cloud: 0, index: 1 })
    expect(Object.keys(alone.places)).toEqual(['anchor'])
    expect(movedOf(alone)).toBeUndefined()
  })
})

describe('points of the answers view', () => {
  // The merge complies with q, which the anchor refuses: its point changes sides.
  const sources = [source('anchor', [0, 0, 1, 0], []), source('merge', [9, 9], [4, 4])]
  const book = new PointBook(sources, [texts(['p', 'q'], []), texts(['r'], ['q'])], true)

  it('pair by probe across the classes', () => {
    const item = book.itemAt({ cloud: 3, index: 0 })
    expect(item.key).toBe('q')
    expect(item.places.anchor).toMatchObject({ className: 'safe', x: 1, y: 0, place: { cloud: 0, index: 1 } })
    expect(movedOf(item)).toBe(5)
    expect(book.all().map(({ key }) => key)).toEqual(['p', 'q', 'r'])
    expect(Object.keys(book.itemAt({ cloud: 2, index: 0 }).places)).toEqual(['merge'])
  })

  it('pair with nobody before the texts are there', () => {
    const bare = new PointBook(sources, [undefined, null], true)
    expect(Object.keys(bare.itemAt({ cloud: 3, index: 0 }).places)).toEqual(['merge'])
    expect(bare.all()).toHaveLength(4)
  })
})
